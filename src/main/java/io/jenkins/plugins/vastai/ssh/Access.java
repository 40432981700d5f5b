package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;

/**
 * All it takes to talk to a machine that was reached once: no machine is spoken to through this without its pin.
 *
 * @param user login name on the machine, usually root
 */
public record Access(Endpoint endpoint, String user, SshKeyPair key, HostKey pin) {}
