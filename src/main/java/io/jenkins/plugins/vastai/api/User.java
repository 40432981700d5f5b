package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigDecimal;
import java.util.Optional;

/**
 * The account that a key belongs to. Fields the market leaves out are null. The keys and sessions of the answer are
 * not read.
 *
 * @param credit what can be spent, $
 * @param balance $; usually 0, and its sign differs between accounts, so {@link #spendable()} prefers the credit
 * @param hasBilling whether a payment method is on file
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record User(
        @JsonProperty("id") long id,
        @JsonProperty("username") String username,
        @JsonProperty("email") String email,
        @JsonProperty("credit") BigDecimal credit,
        @JsonProperty("balance") BigDecimal balance,
        @JsonProperty("has_billing") Boolean hasBilling) {

    /** What is left to spend, $; empty if the market does not tell. */
    public Optional<BigDecimal> spendable() {
        return Optional.ofNullable(credit).or(() -> Optional.ofNullable(balance));
    }
}
