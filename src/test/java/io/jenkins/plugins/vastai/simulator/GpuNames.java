package io.jenkins.plugins.vastai.simulator;

/** How nvidia-smi calls a card that the market sells under another name. */
final class GpuNames {
    private GpuNames() {}

    static String driverName(String market, int ramMb) {
        int gb = Math.round(ramMb / 1000f / 8) * 8;
        if (market.startsWith("RTX PRO ")) {
            String model = market.replace(" WS", " Blackwell Workstation Edition")
                    .replace(" Max-Q", " Blackwell Max-Q Workstation Edition")
                    .replaceFirst(" S$", " Blackwell Server Edition");
            return "NVIDIA " + model + (model.contains("Blackwell") ? "" : " Blackwell");
        }
        if (market.endsWith("Ada")) {
            return "NVIDIA " + market.replace("Ada", " Ada Generation");
        }
        if (market.startsWith("Q RTX ")) {
            return "Quadro " + market.substring(2);
        }
        if (market.startsWith("Tesla ")) {
            return market.equals("Tesla V100") ? "Tesla V100-SXM2-" + gb + "GB" : market;
        }
        if (market.matches("(RTX|GTX) \\d.*")) {
            return "NVIDIA GeForce "
                    + market.replaceFirst("(\\d|\\d) ?S$", "$1 SUPER")
                            .replaceFirst("S Ti$", " Ti SUPER")
                            .replaceFirst("(\\d)D$", "$1 D")
                            .replace(" laptop", " Laptop GPU");
        }
        return switch (market) {
            case "A100 PCIE" -> gb > 40 ? "NVIDIA A100 80GB PCIe" : "NVIDIA A100-PCIE-40GB";
            case "A100 SXM4", "A100 SXM" -> gb > 40 ? "NVIDIA A100-SXM4-80GB" : "NVIDIA A100-SXM4-40GB";
            case "H100 SXM" -> "NVIDIA H100 80GB HBM3";
            case "H100 PCIE" -> "NVIDIA H100 PCIe";
            case "GH200 SXM" -> "NVIDIA GH200 480GB";
            default -> "NVIDIA " + market;
        };
    }
}
