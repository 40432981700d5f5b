package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Descriptor.FormException;
import hudson.model.Node;
import hudson.model.TaskListener;
import hudson.slaves.AbstractCloudSlave;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity;
import org.jenkinsci.plugins.cloudstats.TrackedItem;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * The agent of one rental. Holds names and looks up what they stand for; where the machine is, how it is reached and what
 * became of it is in the rental's record. Persisted, so that builds find their agent again after a restart.
 */
public class VastAiAgent extends AbstractCloudSlave implements TrackedItem {

    private static final long serialVersionUID = 1;
    private static final Logger LOGGER = Logger.getLogger(VastAiAgent.class.getName());
    private static final int LONGEST_NAME = 63;

    private final String fleet;
    private final String rental;
    private final String orderedFor;
    private final String allowedJobs;
    private final ProvisioningActivity.Id activity;

    /**
     * @param fleet id of the fleet
     * @param rental as ordered; names the agent
     * @param template what it is an agent of
     * @param orderedFor expression of the label that it was ordered for; null for work without a label
     */
    VastAiAgent(String fleet, Rental rental, VastAiTemplate template, String orderedFor)
            throws FormException, IOException {
        super(rental.order().agent(), rental.order().remoteFs(), new RentalLauncher(template.getJvmOptions()));
        this.fleet = fleet;
        this.rental = rental.id();
        this.orderedFor = orderedFor;
        this.allowedJobs = template.getAllowedJobs();
        this.activity = new ProvisioningActivity.Id(
                rental.order().cloud(),
                rental.order().template(),
                rental.order().agent());
        setNumExecutors(template.getNumExecutors());
        setMode(template.getMode());
        setLabelString(template.getLabels());
        setNodeDescription(template.getInstanceType() + ", " + template.getMachineImage());
        setRetentionStrategy(new VastAiRetention(template.isOneShot(), template.getIdleMinutes()));
    }

    /** Node names end up in paths, labels and host names: nothing else than letters, digits, dots and hyphens. */
    static String name(String template, String rental) {
        String clean = template.replaceAll("[^A-Za-z0-9.-]+", "-").replaceAll("^[.-]+", "");
        int room = LONGEST_NAME - rental.length() - 1;
        clean = clean.substring(0, Math.min(room, clean.length())).replaceAll("[.-]+$", "");
        return (clean.isEmpty() ? "vastai" : clean) + "-" + rental;
    }

    String fleetId() {
        return fleet;
    }

    String rentalId() {
        return rental;
    }

    /** Null for work without a label. */
    String orderedFor() {
        return orderedFor;
    }

    /** Whether its template admitted that job when the agent was ordered. Agents of older releases admit every job. */
    boolean admits(String job) {
        return allowedJobs == null || AllowedJobs.admit(allowedJobs, job);
    }

    /** What the cloud statistics know the agent by. */
    @Override
    public ProvisioningActivity.Id getId() {
        return activity;
    }

    boolean belongs(String fleetId, String rentalId) {
        return fleet.equals(fleetId) && rental.equals(rentalId);
    }

    Optional<Fleet> fleet() {
        return Fleets.lookup().flatMap(fleets -> fleets.fleet(fleet));
    }

    /** Its record; empty while Jenkins starts, and when the record is gone. */
    Optional<Rental> rental() {
        return fleet().flatMap(known -> known.rental(rental));
    }

    boolean oneShot() {
        return getRetentionStrategy() instanceof VastAiRetention strategy && strategy.oneShot();
    }

    /** Minutes without work after which it leaves; 1 at least. */
    int idleMinutes() {
        return Math.max(1, getRetentionStrategy() instanceof VastAiRetention strategy ? strategy.idleMinutes() : 0);
    }

    Duration idleLimit(Tuning tuning) {
        return tuning.minute().multipliedBy(idleMinutes());
    }

    /** Nothing new begins on a machine that is given up, from the very moment on. */
    @Override
    public boolean isAcceptingTasks() {
        return super.isAcceptingTasks()
                && rental().filter(Rental::needed).isPresent()
                && !(toComputer() instanceof VastAiComputer computer && computer.onReplacedMachine());
    }

    @Override
    public VastAiComputer createComputer() {
        return new VastAiComputer(this);
    }

    /** Its form changes nothing: the agent is what its template was when it was ordered. */
    @Override
    public Node reconfigure(@NonNull StaplerRequest2 request, JSONObject form) {
        return this;
    }

    /** Whoever removes the agent has its machine destroyed; that happens later and until it is proved. */
    @Override
    protected void _terminate(TaskListener listener) {
        unwanted();
    }

    /** The node is gone or going: so is the need for its machine. Does nothing when that is known. */
    void unwanted() {
        fleet().ifPresent(known -> known.retire(rental, AgentText.REMOVED.of(getNodeName())));
    }

    /**
     * Takes the agent out of Jenkins because its rental is over, or is not there; does nothing yet while a build says its
     * last words, so it is called until the agent is gone. Takes the queue lock.
     */
    void removeFor(@CheckForNull Rental over) {
        if (toComputer() instanceof VastAiComputer computer) {
            computer.setAcceptingTasks(false);
            if (over != null && !computer.letGo(over)) {
                return;
            }
        }
        if (over != null && over.failed()) {
            Statistics.failed(this, over.why());
        }
        try {
            Jenkins.get().removeNode(this);
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.WARNING, e, () -> "Cannot remove agent " + getNodeName() + " now; tried again");
        }
    }

    /** Agents come from templates only. */
    @Extension
    public static class DescriptorImpl extends SlaveDescriptor {
        @NonNull
        @Override
        public String getDisplayName() {
            return "Vast.ai";
        }

        @Override
        public boolean isInstantiable() {
            return false;
        }
    }
}
