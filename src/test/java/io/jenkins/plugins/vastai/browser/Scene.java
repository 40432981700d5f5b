package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Browser;
import java.net.URI;
import java.nio.file.Path;

/**
 * What all visitors share.
 *
 * @param jenkins its address
 * @param axe the script of axe-core
 * @param shots gets an image of every page that is looked at
 */
record Scene(Report report, Browser browser, URI jenkins, String axe, Path shots) {}
