package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Computer;
import hudson.security.Permission;
import hudson.slaves.Cloud;
import java.util.List;
import jenkins.model.Jenkins;

/** Who may see what of a cloud and its machines: the table in docs/security.md. What people may do is checked where it is done. */
final class CloudPermissions {

    /** Any of these shows the state of a cloud, its rentals and blocked machines, whichever page leads there. */
    private static final List<Permission> SEE_STATE = List.of(Jenkins.SYSTEM_READ, Cloud.PROVISION);

    private CloudPermissions() {}

    /** @throws hudson.security.AccessDeniedException3 unless the user may see the cloud's state */
    static void checkSeeState(VastAiCloud cloud) {
        cloud.checkAnyPermission(permissions());
    }

    /** For the layout of a page: one of them is enough. */
    static Permission[] permissions() {
        return SEE_STATE.toArray(Permission[]::new);
    }

    /**
     * Whether the user may see an agent's machine: address, price, cost and log, which is what Jenkins' own log of the
     * agent shows, so the same permissions show both.
     */
    static boolean maySeeMachine(VastAiCloud cloud, @CheckForNull Computer computer) {
        return cloud.hasAnyPermission(permissions())
                || computer != null && computer.hasAnyPermission(Computer.EXTENDED_READ, Computer.CONNECT);
    }
}
