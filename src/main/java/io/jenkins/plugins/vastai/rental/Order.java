package io.jenkins.plugins.vastai.rental;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Objects;

/**
 * What a rental was ordered for. It is written to disk with the rental, so that a controller that comes back needs no
 * template, which may have been changed or removed meanwhile, to go on.
 *
 * @param cloud name of the cloud that ordered
 * @param template name of the template
 * @param agent name of the Jenkins node; empty in the standalone run
 * @param spec the template's machine
 * @param remoteFs the agent's directory on the machine
 * @param javaMajor oldest Java that can run the agent
 * @param draws how many machines may be tried
 * @param launchLimit longest time from the create call to a machine fit for the agent, for each draw
 * @param maxLifetime longest time a machine may live, from its create call; the agent is drained before, then retired
 * @param cloudCap most instances that this cloud may hold at the same time; 0 for no limit
 * @param templateCap most instances that this template may hold at the same time; 0 for no limit
 * @param balanceFloor $ that must stay on the account, or no machine is rented; null for none
 * @param secondAfter from the create call until another machine is rented beside one that is not fit yet; null for never
 * @param secondOf id of the rental beside which this one is; null for most
 */
public record Order(
        String cloud,
        String template,
        String agent,
        RunnerSpec spec,
        String remoteFs,
        int javaMajor,
        int draws,
        Duration launchLimit,
        Duration maxLifetime,
        int cloudCap,
        int templateCap,
        BigDecimal balanceFloor,
        Duration secondAfter,
        String secondOf) {

    public Order {
        Objects.requireNonNull(cloud, "cloud");
        Objects.requireNonNull(template, "template");
        Objects.requireNonNull(agent, "agent");
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(remoteFs, "remoteFs");
        Objects.requireNonNull(launchLimit, "launchLimit");
        Objects.requireNonNull(maxLifetime, "maxLifetime");
        if (draws < 1) {
            throw new IllegalArgumentException("draws " + draws);
        }
    }

    /** An order that no second machine is rented for. */
    public Order(
            String cloud,
            String template,
            String agent,
            RunnerSpec spec,
            String remoteFs,
            int javaMajor,
            int draws,
            Duration launchLimit,
            Duration maxLifetime,
            int cloudCap,
            int templateCap,
            BigDecimal balanceFloor) {
        this(
                cloud,
                template,
                agent,
                spec,
                remoteFs,
                javaMajor,
                draws,
                launchLimit,
                maxLifetime,
                cloudCap,
                templateCap,
                balanceFloor,
                null,
                null);
    }

    /** The same with a second machine, unless the first is fit within that time of its create call. */
    public Order secondAfter(Duration time) {
        return copy(cloud, agent, time, secondOf);
    }

    /** The same for another agent, whose machine comes beside that of the rental {@code first}. */
    public Order second(String first, String otherAgent) {
        return copy(cloud, otherAgent, null, first);
    }

    Order cloud(String name) {
        return copy(name, agent, secondAfter, secondOf);
    }

    private Order copy(String newCloud, String newAgent, Duration newSecondAfter, String newSecondOf) {
        return new Order(
                newCloud,
                template,
                newAgent,
                spec,
                remoteFs,
                javaMajor,
                draws,
                launchLimit,
                maxLifetime,
                cloudCap,
                templateCap,
                balanceFloor,
                newSecondAfter,
                newSecondOf);
    }
}
