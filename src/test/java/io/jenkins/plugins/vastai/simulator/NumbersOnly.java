package io.jenkins.plugins.vastai.simulator;

/** Machines that do not exist: contracts have port numbers, nothing listens and nothing runs. */
final class NumbersOnly implements Site {
    private final PortNumbers ports = new PortNumbers();

    @Override
    public void assignPorts(Contract c) {
        c.proxyPort = ports.number();
        c.directPort = c.order.sshMode() && c.order.direct() ? ports.number() : 0;
    }

    @Override
    public void boot(Contract contract) {}

    @Override
    public void open(Contract contract) {}

    @Override
    public void shut(Contract contract) {}

    @Override
    public void halt(Contract contract) {}

    @Override
    public void wipe(Contract contract) {}

    @Override
    public void raze(Contract contract) {}

    @Override
    public void cut(Contract contract) {}
}
