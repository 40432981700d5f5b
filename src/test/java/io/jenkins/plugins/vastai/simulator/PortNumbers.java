package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Port numbers below those that the system gives out by itself, each used once in a simulator's life. */
final class PortNumbers {
    private static final int LOWEST = 10_240;
    private static final int HIGHEST = 32_000;

    private int next = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);

    /** A number that nobody uses now. */
    synchronized int free() {
        for (int tries = 0; tries < HIGHEST - LOWEST; tries++) {
            int number = number();
            try {
                new ServerSocket(number, 1, InetAddress.getLoopbackAddress()).close();
                return number;
            } catch (IOException e) {
                // Taken; the next one.
            }
        }
        throw new IllegalStateException("no free port from " + LOWEST + " to " + HIGHEST);
    }

    /** A number that nobody is going to listen on. */
    synchronized int number() {
        next = next >= HIGHEST ? LOWEST : next + 1;
        return next;
    }
}
