package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** Everything the simulator knows, under one lock. */
final class World implements Account {
    static final long ACCOUNT = 456;

    final Object lock = new Object();
    final Simulator.Builder settings;
    final InstantSource clock;
    final Faults faults;
    final SimulatedMarket market;
    final Ledger ledger;
    final Site site;
    final Contracts contracts;
    final ApiKeys keys = new ApiKeys();
    final List<SshKey> sshKeys = new ArrayList<>();
    private long nextSshKey = 1200;

    World(Simulator.Builder settings) throws IOException {
        this.settings = settings;
        this.clock = settings.clock;
        this.faults = new Faults(settings.seed);
        this.market = new SimulatedMarket(lock, settings.seed, settings.scale, clock.instant());
        this.ledger = new Ledger(lock, clock, new BigDecimal(settings.credit), this::settle);
        this.site = site();
        this.contracts = new Contracts(settings, market, ledger, faults, site);
    }

    private Site site() throws IOException {
        if (settings.hosting.isPresent()) {
            return new HostedSite(settings.hosting.get());
        }
        return settings.ssh ? new LocalSite(lock, settings, faults) : new NumbersOnly();
    }

    /** Brings the world to the present. */
    Instant settle() {
        synchronized (lock) {
            Instant now = clock.instant();
            contracts.settle(now);
            return now;
        }
    }

    SshKey newSshKey(String line, Instant at) {
        return new SshKey(++nextSshKey, line.trim(), at);
    }

    @Override
    public BigDecimal credit() {
        synchronized (lock) {
            return ledger.creditAt(settle());
        }
    }

    @Override
    public void setCredit(BigDecimal dollars) {
        synchronized (lock) {
            ledger.setCredit(dollars, settle());
        }
    }

    @Override
    public long id() {
        return ACCOUNT;
    }

    @Override
    public List<String> sshKeys() {
        synchronized (lock) {
            return sshKeys.stream().map(SshKey::line).toList();
        }
    }

    @Override
    public void addSshKey(String openSshKey) {
        if (SshKey.parse(openSshKey).isEmpty()) {
            throw new IllegalArgumentException("not a public key in OpenSSH format");
        }
        synchronized (lock) {
            sshKeys.add(newSshKey(openSshKey, clock.instant()));
        }
    }

    @Override
    public void removeSshKeys() {
        synchronized (lock) {
            sshKeys.clear();
        }
    }
}
