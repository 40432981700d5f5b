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
        BigDecimal balanceFloor) {

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

    Order cloud(String name) {
        return new Order(
                name,
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
                balanceFloor);
    }
}
