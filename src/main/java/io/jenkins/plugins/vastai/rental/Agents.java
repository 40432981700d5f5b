package io.jenkins.plugins.vastai.rental;

/**
 * What the engine tells whoever runs the agents. Called on the engine's thread: implementations return at once and do
 * slow work elsewhere.
 */
public interface Agents {

    /** The rental entered another state; {@code before} is null for one that was just ordered. */
    void changed(Rental before, Rental after);

    /** A line was added to the rental's story. */
    void told(Rental rental, Line line);

    /** For whoever looks at {@link Fleet#rentals()} only. */
    Agents NONE = new Agents() {
        @Override
        public void changed(Rental before, Rental after) {
            // nobody to tell
        }

        @Override
        public void told(Rental rental, Line line) {
            // nobody to tell
        }
    };
}
