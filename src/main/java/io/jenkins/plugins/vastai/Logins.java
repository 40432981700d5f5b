package io.jenkins.plugins.vastai;

import com.cloudbees.plugins.credentials.CredentialsMatchers;
import com.cloudbees.plugins.credentials.CredentialsProvider;
import com.cloudbees.plugins.credentials.common.StandardCredentials;
import com.cloudbees.plugins.credentials.common.StandardListBoxModel;
import com.cloudbees.plugins.credentials.common.StandardUsernamePasswordCredentials;
import com.cloudbees.plugins.credentials.common.UsernamePasswordCredentials;
import hudson.security.ACL;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.vastai.api.ApiKey;
import java.util.List;
import java.util.Optional;
import jenkins.model.Jenkins;
import org.jenkinsci.plugins.plaincredentials.StringCredentials;

/** Credentials by their id, looked up at each use. */
final class Logins {

    private Logins() {}

    /** The credential of that id and kind, of those that belong to Jenkins itself. */
    static <C extends StandardCredentials> Optional<C> find(Class<C> kind, String id) {
        return CredentialsProvider.lookupCredentialsInItemGroup(kind, Jenkins.get(), ACL.SYSTEM2, List.of()).stream()
                .filter(found -> found.getId().equals(id))
                .findFirst();
    }

    /** The API key; empty if there is no such secret text, or none that can be a key. */
    static Optional<ApiKey> apiKey(String credentialsId) {
        return find(StringCredentials.class, credentialsId).flatMap(found -> {
            try {
                return Optional.of(ApiKey.of(found.getSecret().getPlainText()));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        });
    }

    /** The choices of a form; whoever may not configure sees nothing but what is chosen. */
    static ListBoxModel items(Class<? extends StandardCredentials> kind, String chosen) {
        StandardListBoxModel items = new StandardListBoxModel();
        if (!Jenkins.get().hasPermission(Jenkins.ADMINISTER)) {
            return items.includeCurrentValue(chosen);
        }
        return items.includeEmptyValue()
                .includeMatchingAs(ACL.SYSTEM2, Jenkins.get(), kind, List.of(), CredentialsMatchers.instanceOf(kind))
                .includeCurrentValue(chosen);
    }

    static FormValidation checkApiKey(String id) {
        return apiKeyProblem(id).map(FormValidation::error).orElseGet(FormValidation::ok);
    }

    /** Why there is no API key under that id, and the remedy, in the reader's language; empty when there is one. */
    static Optional<String> apiKeyProblem(String id) {
        if (id.isBlank()) {
            return Optional.of(Messages.Cloud_noCredential());
        }
        if (find(StringCredentials.class, id).isEmpty()) {
            return Optional.of(otherKind(id)
                    .map(kind -> Messages.Cloud_credentialWrongKind(id, kind))
                    .orElseGet(() -> Messages.Cloud_credentialUnknown(id)));
        }
        return apiKey(id).isPresent() ? Optional.empty() : Optional.of(Messages.Cloud_credentialNoKey(id));
    }

    static FormValidation checkRegistryLogin(String id) {
        if (id.isBlank()) {
            return FormValidation.ok();
        }
        Optional<StandardUsernamePasswordCredentials> login = find(StandardUsernamePasswordCredentials.class, id);
        if (login.isEmpty()) {
            return otherKind(id)
                    .map(kind -> FormValidation.error(Messages.Template_loginWrongKind(id, kind)))
                    .orElseGet(() -> FormValidation.error(Messages.Template_loginUnknown(id)));
        }
        return isUsable(login.get()) ? FormValidation.ok() : FormValidation.error(Messages.Template_loginSpaces(id));
    }

    /** Whether the market can pass the login on: it takes one line of words, without any quoting. */
    static boolean isUsable(UsernamePasswordCredentials login) {
        String word = "[^\\s\"'\\\\]+";
        return login.getUsername().matches(word)
                && login.getPassword().getPlainText().matches(word);
    }

    private static Optional<String> otherKind(String id) {
        return find(StandardCredentials.class, id)
                .map(found -> found.getDescriptor().getDisplayName());
    }
}
