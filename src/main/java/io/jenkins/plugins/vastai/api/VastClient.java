package io.jenkins.plugins.vastai.api;

import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import okhttp3.OkHttpClient;

/**
 * The Vast.ai market over HTTP. Blocking; thread-safe. Every call paces itself, and repeats itself where repeating is
 * harmless; a create is repeated only when the market has refused it as too frequent.
 */
public final class VastClient {

    public VastClient(URI base, Supplier<ApiKey> key, OkHttpClient http, Pacing pacing) {
        this(base, key, http, pacing, Patience.standard());
    }

    public VastClient(URI base, Supplier<ApiKey> key, OkHttpClient http, Pacing pacing, Patience patience) {}

    public VastClient with(Patience patience) {
        throw new UnsupportedOperationException();
    }

    public User currentUser() throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<Offer> searchOffers(OfferQuery query) throws VastException {
        throw new UnsupportedOperationException();
    }

    public Created createInstance(long offerId, CreateRequest request) throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<Instance> listInstances() throws VastException {
        throw new UnsupportedOperationException();
    }

    public Optional<Instance> showInstance(long id) throws VastException {
        throw new UnsupportedOperationException();
    }

    public boolean destroyInstance(long id) throws VastException {
        throw new UnsupportedOperationException();
    }

    public void labelInstance(long id, String label) throws VastException {
        throw new UnsupportedOperationException();
    }

    public void rebootInstance(long id) throws VastException {
        throw new UnsupportedOperationException();
    }

    public void attachSshKey(long id, String publicKey) throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<SshKey> instanceSshKeys(long id) throws VastException {
        throw new UnsupportedOperationException();
    }

    public Optional<String> fetchLogs(long id, int tail, boolean daemon) throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<SshKey> accountSshKeys() throws VastException {
        throw new UnsupportedOperationException();
    }

    public SshKey addAccountSshKey(String publicKey) throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<Charge> charges(Instant from, Instant to) throws VastException {
        throw new UnsupportedOperationException();
    }

    public List<String> gpuNames() throws VastException {
        throw new UnsupportedOperationException();
    }
}
