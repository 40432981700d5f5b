package io.jenkins.plugins.vastai.ssh;

/**
 * Text that came from a machine, made fit for a log: the machine belongs to a stranger, so it may hold escape sequences,
 * line breaks that fake a log line, or megabytes.
 */
final class RemoteText {

    private static final int MAX = 200;

    private RemoteText() {}

    /** At most 200 characters on one line, without control and format characters. */
    static String clean(String text) {
        if (text == null) {
            return "?";
        }
        StringBuilder clean = new StringBuilder();
        boolean blank = false;
        for (int i = 0; i < text.length() && clean.length() < MAX; ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
                blank = clean.length() > 0;
                continue;
            }
            if (blank) {
                clean.append(' ');
                blank = false;
            }
            int type = Character.getType(c);
            boolean hidden = Character.isISOControl(c)
                    || type == Character.FORMAT
                    || type == Character.SURROGATE
                    || type == Character.UNASSIGNED
                    || type == Character.PRIVATE_USE;
            clean.appendCodePoint(hidden ? '?' : c);
        }
        return clean.toString();
    }
}
