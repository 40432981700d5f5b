package io.jenkins.plugins.vastai.browser;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** An image of a page with 256 colours: a third of the size, and nobody sees the difference. */
final class Palette {

    private static final int COLOURS = 256;

    /** Colours that differ by less than this in each part count as one. */
    private static final int STEP_BITS = 3;

    private Palette() {}

    static void write(byte[] png, Path file) throws IOException {
        BufferedImage full = ImageIO.read(new ByteArrayInputStream(png));
        int[] palette = palette(full);
        BufferedImage small =
                new BufferedImage(full.getWidth(), full.getHeight(), BufferedImage.TYPE_BYTE_INDEXED, model(palette));
        Map<Integer, Integer> nearest = new HashMap<>();
        for (int y = 0; y < full.getHeight(); y++) {
            for (int x = 0; x < full.getWidth(); x++) {
                int place = nearest.computeIfAbsent(full.getRGB(x, y) & 0xFFFFFF, rgb -> nearest(palette, rgb));
                small.getRaster().setSample(x, y, 0, place);
            }
        }
        ImageIO.write(small, "png", file.toFile());
    }

    /** The most frequent colour of each of the most frequent groups of like colours. */
    private static int[] palette(BufferedImage image) {
        Map<Integer, Integer> counts = new HashMap<>();
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                counts.merge(image.getRGB(x, y) & 0xFFFFFF, 1, Integer::sum);
            }
        }
        Map<Integer, Integer> bests = new HashMap<>();
        Map<Integer, Integer> sums = new HashMap<>();
        counts.forEach((rgb, count) -> {
            bests.merge(group(rgb), rgb, (a, b) -> counts.get(a) >= counts.get(b) ? a : b);
            sums.merge(group(rgb), count, Integer::sum);
        });
        List<Integer> groups = sums.entrySet().stream()
                .sorted(Map.Entry.<Integer, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(COLOURS)
                .map(Map.Entry::getKey)
                .toList();
        return groups.stream().mapToInt(bests::get).toArray();
    }

    private static int group(int rgb) {
        int kept = 0xFF >> STEP_BITS << STEP_BITS;
        return rgb & (kept << 16 | kept << 8 | kept);
    }

    private static IndexColorModel model(int[] palette) {
        return new IndexColorModel(8, palette.length, palette, 0, false, -1, java.awt.image.DataBuffer.TYPE_BYTE);
    }

    private static int nearest(int[] palette, int rgb) {
        int best = 0;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < palette.length; i++) {
            long distance = 0;
            for (int shift = 0; shift <= 16; shift += 8) {
                long part = (palette[i] >> shift & 0xFF) - (rgb >> shift & 0xFF);
                distance += part * part;
            }
            if (distance < least) {
                least = distance;
                best = i;
            }
        }
        return best;
    }
}
