package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;
import java.util.List;

/** The one account of the simulator. */
public interface Account {
    /** $ that can be spent now. */
    BigDecimal credit();

    /** Sets what can be spent from now on. */
    void setCredit(BigDecimal dollars);

    /** Number that {@code users/current} reports. */
    long id();

    /** Public keys registered on the account, OpenSSH format. */
    List<String> sshKeys();

    /** Registers a key as the console would. */
    void addSshKey(String openSshKey);

    void removeSshKeys();
}
