package io.jenkins.plugins.vastai.contract;

/**
 * Something in an exchange that the published description does not allow.
 *
 * @param operation {@code PUT /api/v0/asks/{id}}; the concrete path where the description has no such operation
 * @param place {@code request} or {@code response 404}
 * @param key the validator's name of the broken rule
 * @param pointer where in the body, as a JSON pointer; empty when it is not about a body
 * @param message the validator's words
 */
record Finding(String operation, String place, String key, String pointer, String message) {

    @Override
    public String toString() {
        return operation + ", " + place + (pointer.isEmpty() ? "" : ", at " + pointer) + ": " + message + " [" + key
                + "]";
    }
}
