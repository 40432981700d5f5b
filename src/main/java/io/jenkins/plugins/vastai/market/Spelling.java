package io.jenkins.plugins.vastai.market;

/** How far a misspelled word is from a right one. */
final class Spelling {

    private Spelling() {}

    /** Letters to add, drop, change or swap with a neighbour until {@code a} is {@code b}. */
    static int distance(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                boolean same = a.charAt(i - 1) == b.charAt(j - 1);
                int best = Math.min(cost[i - 1][j], cost[i][j - 1]) + 1;
                best = Math.min(best, cost[i - 1][j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    best = Math.min(best, cost[i - 2][j - 2] + 1);
                }
                cost[i][j] = best;
            }
        }
        return cost[a.length()][b.length()];
    }

    /** A value as a message may show it: hostile lengths and control characters do not belong there. */
    static String shown(String value) {
        String clean = value.strip().replaceAll("\\p{Cntrl}+", " ");
        return clean.length() <= 60 ? clean : clean.substring(0, 60) + "…";
    }
}
