package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import java.util.Set;

final class OfferCheck {
    OfferCheck(Requirements requirements, GpuWish wish) {}

    Set<Rejection> rejections(Offer offer) {
        throw new UnsupportedOperationException();
    }
}
