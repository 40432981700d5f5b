package io.jenkins.plugins.vastai;

import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.SystemCredentialsProvider;
import com.cloudbees.plugins.credentials.common.StandardCredentials;
import com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl;
import hudson.util.Secret;
import java.io.IOException;
import org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl;

/** Credentials of the tests' Jenkins. */
final class Keys {

    private Keys() {}

    /** A secret text, in the place of one with the same id. */
    static void secretText(String id, String text) throws IOException {
        put(new StringCredentialsImpl(CredentialsScope.GLOBAL, id, "", Secret.fromString(text)));
    }

    /** A username with password, in the place of one with the same id. */
    static void login(String id, String user, String password) throws Exception {
        put(new UsernamePasswordCredentialsImpl(CredentialsScope.GLOBAL, id, "", user, password));
    }

    private static void put(StandardCredentials credential) throws IOException {
        SystemCredentialsProvider provider = SystemCredentialsProvider.getInstance();
        provider.getCredentials()
                .removeIf(old -> old instanceof StandardCredentials known
                        && known.getId().equals(credential.getId()));
        provider.getCredentials().add(credential);
        provider.save();
    }
}
