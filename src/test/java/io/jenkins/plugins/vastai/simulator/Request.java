package io.jenkins.plugins.vastai.simulator;

import java.time.Instant;

/**
 * One call that reached the simulator.
 *
 * @param time on the simulator's clock
 * @param path with query, without host
 * @param status of the answer; 0 when the connection was cut or the answer held back
 */
public record Request(Instant time, Endpoint endpoint, String method, String path, int status) {}
