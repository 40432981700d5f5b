package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.time.Duration;
import java.util.List;
import java.util.function.LongConsumer;

/** One thing that can happen to a fleet. */
enum Act {
    ORDER {
        @Override
        void on(OneFleet one, int which) {
            one.order();
        }
    },
    TIME {
        @Override
        void on(OneFleet one, int which) {
            one.passes(Duration.ofSeconds(3L + which * 3L));
        }
    },
    ONLINE {
        @Override
        void on(OneFleet one, int which) {
            Rental rental = one.rental(which);
            if (rental != null) {
                one.fleet().agentOnline(rental.id(), rental.attempt());
            }
            one.pass();
        }
    },
    OFFLINE {
        @Override
        void on(OneFleet one, int which) {
            Rental rental = one.rental(which);
            if (rental != null) {
                one.fleet().agentOffline(rental.id(), rental.attempt());
            }
            one.pass();
        }
    },
    RETIRE {
        @Override
        void on(OneFleet one, int which) {
            Rental rental = one.rental(which);
            if (rental != null) {
                one.fleet().retire(rental.id(), RentalText.BUILD_DONE.of());
            }
            one.pass();
        }
    },
    RESTART {
        @Override
        void on(OneFleet one, int which) {
            one.restart();
            one.pass();
        }
    },
    /** Dies at the next call, before or after the market acts on it. */
    CRASH {
        @Override
        void on(OneFleet one, int which) {
            one.crashAtCall(which % 2 == 0);
            one.passes(Duration.ofSeconds(9));
        }
    },
    CREATE_ANSWER_LOST {
        @Override
        void on(OneFleet one, int which) {
            one.fault(Fault.of(Fault.Kind.LOST_ANSWER).endpoint(Endpoint.CREATE).once());
        }
    },
    CREATE_FAILS {
        @Override
        void on(OneFleet one, int which) {
            one.fault(Fault.of(List.of(Fault.Kind.OFFER_GONE, Fault.Kind.THROTTLED, Fault.Kind.BID_TOO_LOW)
                            .get(which % 3))
                    .endpoint(Endpoint.CREATE)
                    .once());
        }
    },
    DESTROY_FAILS {
        @Override
        void on(OneFleet one, int which) {
            one.fault(Fault.of(List.of(Fault.Kind.SERVER_ERROR, Fault.Kind.DESTROY_IGNORED, Fault.Kind.LOST_ANSWER)
                            .get(which % 3))
                    .endpoint(Endpoint.DESTROY)
                    .once());
        }
    },
    LIST_LIES {
        @Override
        void on(OneFleet one, int which) {
            one.fault(Fault.of(List.of(
                                    Fault.Kind.EMPTY_LIST,
                                    Fault.Kind.NULL_LIST,
                                    Fault.Kind.TRUNCATED_LIST,
                                    Fault.Kind.NOT_JSON)
                            .get(which % 4))
                    .endpoint(Endpoint.LIST)
                    .times(1 + which / 4));
        }
    },
    MACHINE_FAILS {
        @Override
        void on(OneFleet one, int which) {
            one.fault(Fault.of(List.of(Fault.Kind.EXITED_IN_BOOT, Fault.Kind.DOOMED, Fault.Kind.STUCK_LOADING)
                            .get(which % 3))
                    .once());
        }
    },
    STOPPED {
        @Override
        void on(OneFleet one, int which) {
            strike(one, which, one.simulator()::stopFromOutside);
        }
    },
    DESTROYED {
        @Override
        void on(OneFleet one, int which) {
            strike(one, which, one.simulator()::destroyFromOutside);
        }
    },
    HOST_OFFLINE {
        @Override
        void on(OneFleet one, int which) {
            strike(one, which, one.simulator()::hostOffline);
        }
    };

    abstract void on(OneFleet one, int which);

    private static void strike(OneFleet one, int which, LongConsumer how) {
        List<Books.Entry> alive = one.books().left();
        if (!alive.isEmpty()) {
            how.accept(alive.get(which % alive.size()).id());
        }
        one.pass();
    }
}
