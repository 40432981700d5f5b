/**
 * A Vast.ai of one's own: the published HTTP API over a made-up market, with a real SSH endpoint behind every running
 * instance, faults on demand and books that know to the cent what was spent. Independent of the plugin's own client, so
 * that both can be wrong only separately. Everything listens on 127.0.0.1.
 */
package io.jenkins.plugins.vastai.simulator;
