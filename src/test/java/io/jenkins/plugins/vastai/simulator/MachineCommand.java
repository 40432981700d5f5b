package io.jenkins.plugins.vastai.simulator;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;

/**
 * A command in an SSH channel as a real process. When the channel ends its streams are closed and the process is left
 * alone, as sshd does without a terminal: what lives by its streams dies, what was sent to the background goes on.
 */
final class MachineCommand implements Command {
    private final Machine machine;
    private final String command;
    private final String greeting;
    private final ExecutorService pumps;
    private InputStream in;
    private OutputStream out;
    private OutputStream err;
    private ExitCallback callback;
    private volatile Process process;

    MachineCommand(Machine machine, String command, String greeting, ExecutorService pumps) {
        this.machine = machine;
        this.command = command;
        this.greeting = greeting;
        this.pumps = pumps;
    }

    @Override
    public void setInputStream(InputStream stream) {
        in = stream;
    }

    @Override
    public void setOutputStream(OutputStream stream) {
        out = stream;
    }

    @Override
    public void setErrorStream(OutputStream stream) {
        err = stream;
    }

    @Override
    public void setExitCallback(ExitCallback exit) {
        callback = exit;
    }

    @Override
    public void start(ChannelSession channel, Environment environment) throws IOException {
        Process started = machine.session(command);
        process = started;
        pumps.execute(() -> pump(in, started.getOutputStream(), true));
        Future<?> errors = pumps.submit(() -> {
            greet();
            pump(started.getErrorStream(), err, false);
        });
        pumps.execute(() -> {
            pump(started.getInputStream(), out, false);
            finish(started, errors);
        });
    }

    private void greet() {
        if (!greeting.isEmpty()) {
            try {
                err.write(greeting.getBytes(StandardCharsets.UTF_8));
                err.flush();
            } catch (IOException e) {
                // The client has gone; the process will notice by itself.
            }
        }
    }

    private void finish(Process started, Future<?> errors) {
        int code = 255;
        String signal = "";
        try {
            code = started.waitFor();
            errors.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            signal = "interrupted";
        } catch (ExecutionException e) {
            signal = String.valueOf(e.getCause());
        }
        callback.onExit(code, signal);
    }

    private static void pump(InputStream from, OutputStream to, boolean closing) {
        byte[] buffer = new byte[32 * 1024];
        try {
            for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
                to.write(buffer, 0, n);
                to.flush();
            }
        } catch (IOException e) {
            // One side has gone: nothing more to carry.
        }
        if (closing) {
            try {
                to.close();
            } catch (IOException e) {
                // The process had ended before.
            }
        }
    }

    @Override
    public void destroy(ChannelSession channel) {
        Process running = process;
        if (running != null && running.isAlive() && !pumps.isShutdown()) {
            pumps.execute(() -> {
                for (Closeable each :
                        new Closeable[] {running.getOutputStream(), running.getInputStream(), running.getErrorStream()
                        }) {
                    try {
                        each.close();
                    } catch (IOException e) {
                        // Closed by the process itself.
                    }
                }
            });
        }
    }
}
