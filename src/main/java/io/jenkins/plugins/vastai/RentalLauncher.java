package io.jenkins.plugins.vastai;

import hudson.AbortException;
import hudson.Extension;
import hudson.model.Descriptor;
import hudson.model.TaskListener;
import hudson.slaves.ComputerLauncher;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;

/**
 * Starts the agent on the rental's machine, by SSH. What it takes is in the rental's record and is read at each launch;
 * the live connection belongs to the computer, since a reload of the configuration makes new launchers.
 */
public class RentalLauncher extends ComputerLauncher {

    private final String jvmOptions;

    RentalLauncher(String jvmOptions) {
        this.jvmOptions = jvmOptions;
    }

    @Override
    public void launch(SlaveComputer slaveComputer, TaskListener listener) throws IOException, InterruptedException {
        if (!(slaveComputer instanceof VastAiComputer computer)) {
            throw new AbortException(Texts.render(AgentText.NO_RENTAL.of(slaveComputer.getName())));
        }
        Rental rental = computer.rental().orElse(null);
        if (rental == null || !computer.isConnectable()) {
            throw new AbortException(Texts.render(computer.notYet()));
        }
        computer.tellAll(rental);
        RentalSshLauncher connection = new RentalSshLauncher(rental, jvmOptions);
        computer.connection(connection, rental);
        connection.launch(computer, listener);
    }

    @Override
    public void beforeDisconnect(SlaveComputer slaveComputer, TaskListener listener) {
        if (slaveComputer instanceof VastAiComputer computer && computer.connection() != null) {
            computer.connection().beforeDisconnect(computer, listener);
        }
    }

    @Override
    public void afterDisconnect(SlaveComputer slaveComputer, TaskListener listener) {
        if (slaveComputer instanceof VastAiComputer computer && computer.connection() != null) {
            computer.connection().afterDisconnect(computer, listener);
        }
    }

    /** Not to be chosen by anybody. */
    @Extension
    public static class DescriptorImpl extends Descriptor<ComputerLauncher> {
        @Override
        public String getDisplayName() {
            return "Vast.ai";
        }
    }
}
