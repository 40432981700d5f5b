package io.jenkins.plugins.vastai.api;

import java.util.Optional;

/**
 * Answer to a create: a place in the market's queue, not yet a machine.
 *
 * @param instanceId the contract's number ({@code new_contract})
 * @param instanceKey the key that the market puts inside the instance, good for its own start, stop and destroy
 */
public record Created(long instanceId, Optional<ApiKey> instanceKey) {}
