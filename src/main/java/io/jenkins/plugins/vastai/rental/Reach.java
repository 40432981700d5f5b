package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;

/**
 * How a machine of ours is reached, from the first contact on. Kept on disk: after a restart another machine may answer
 * at the same address, and the pinned host key is what tells them apart.
 *
 * @param endpoint the address that worked
 * @param user login
 * @param hostKey pinned at first contact, {@code type base64}
 * @param javaPath Java that runs the agent; null until the machine is prepared
 * @param gpus what {@code nvidia-smi} says, for people; null until the machine is prepared
 */
public record Reach(Endpoint endpoint, String user, String hostKey, String javaPath, String gpus) {

    Reach prepared(String java, String seenGpus) {
        return new Reach(endpoint, user, hostKey, java, seenGpus);
    }
}
