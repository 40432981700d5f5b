package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.vastai.rental.Fleet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ThreadsTest {

    @Test
    void aFleetWhoseMarketHangsHoldsUpNoOther() throws Exception {
        Threads threads = new Threads();
        CountDownLatch hang = new CountDownLatch(1);
        try {
            ExecutorService stuck = threads.workers();
            ExecutorService other = threads.workers();
            for (int i = 0; i < 3 * Fleet.THREADS; i++) {
                stuck.execute(() -> {
                    try {
                        hang.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
            }
            assertEquals("done", other.submit(() -> "done").get(30, TimeUnit.SECONDS));
        } finally {
            hang.countDown();
            threads.endSchedule();
            threads.end();
        }
    }
}
