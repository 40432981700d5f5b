# Every target does its own set-up on a fresh machine. Underneath are plain Maven calls, which work without make:
# mvn verify, mvn hpi:run, mvn -f standalone verify.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help test demo browser simulator contract chaos machines bench format clean

# The parent POM wants this Maven; where the installed one is older, it is fetched as an ordinary artifact.
MAVEN_WANTED := 3.9.6
MAVEN_FETCHED := 3.9.11
PACKAGE := io.jenkins.plugins.vastai
MAVEN_ARGS ?=

define SETUP
set_maven() {
  local have; have=$$(mvn --version 2>/dev/null | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p' || true)
  MAVEN=mvn
  if [ "$$(printf '%s\n' "$(MAVEN_WANTED)" "$${have:-0}" | sort -V | head -1)" != "$(MAVEN_WANTED)" ]; then
    MAVEN=$(CURDIR)/.tools/apache-maven-$(MAVEN_FETCHED)/bin/mvn
    if [ ! -x $$MAVEN ]; then
      echo "Maven $${have:-is missing}; fetching $(MAVEN_FETCHED) into .tools"
      mvn -B -q -ntp $(MAVEN_ARGS) -f standalone/pom.xml dependency:unpack -Dmdep.overWriteReleases=true \
        -Dartifact=org.apache.maven:apache-maven:$(MAVEN_FETCHED):zip:bin -DoutputDirectory=$(CURDIR)/.tools
      chmod +x $$MAVEN
    fi
  fi
}
m() { $$MAVEN -B -ntp $(MAVEN_ARGS) "$$@"; }
# 0: Jenkins' artifacts can be had; 1: they cannot. Any other trouble with the build file ends here, loudly.
jenkins_resolvable() {
  local log; log=$$(mktemp)
  if m -q validate >$$log 2>&1; then rm -f $$log; return 0; fi
  if grep -qE 'Could not (transfer|find|resolve)|Non-resolvable|was not found in|Unresolveable' $$log; then
    rm -f $$log; return 1
  fi
  cat $$log >&2; rm -f $$log; exit 1
}
program() { m -f standalone/pom.xml -q test-compile exec:java -Dexec.mainClass=$(PACKAGE).$$1 -Dexec.args="$${2:-}"; }
set_debootstrap() {
  if [ ! -d $(CURDIR)/target/machines/debian ] && ! command -v debootstrap >/dev/null \
      && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then
    echo "machines: installing debootstrap"
    apt-get install -y -q --no-install-recommends debootstrap >/dev/null \
      || { apt-get update -q >/dev/null; apt-get install -y -q --no-install-recommends debootstrap >/dev/null; } \
      || echo "machines: debootstrap could not be installed"
  fi
}
tests_in() {
  find $$1/surefire-reports -name 'TEST-*.xml' -exec grep -hm1 -oE '<testsuite .* tests="[0-9]+"' {} + \
    | sed 's/.*tests="\([0-9]*\)".*/\1/' | awk '{n += $$1} END {print n + 0}'
}
LEFT_OUT="because Jenkins' own artifacts cannot be resolved from here (see README, Building)"
set_maven
endef

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

test: ## all tests: in a real Jenkins where its artifacts can be resolved, else those of the Jenkins-free part
	@$(SETUP)
	m -f standalone/pom.xml verify
	if jenkins_resolvable; then
	  # Those below the root package need no Jenkins and have just run; mvn verify runs them again.
	  rm -rf target/surefire-reports
	  m verify -Dtest='$(subst .,/,$(PACKAGE))/*Test,InjectedTest'
	  echo "test: everything ran: $$(tests_in target) tests in a real Jenkins, $$(tests_in standalone/target) in the Jenkins-free build"
	else
	  echo "test: only the Jenkins-free part ran: $$(tests_in standalone/target) tests. Left out: everything in a real Jenkins, $$LEFT_OUT"
	fi
	# Says itself what is missing where machines cannot be run; make machines installs what it needs.
	program machines.Machines "$(CURDIR)/target/machines"

demo: ## rent, build, destroy against the simulator, with a real Jenkins where it can be had
	@$(SETUP)
	if jenkins_resolvable; then
	  program demo.JenkinsDemo "$(CURDIR) $$MAVEN"
	else
	  program demo.StandaloneDemo
	  echo "demo: only the Jenkins-free part ran, without a Jenkins, $$LEFT_OUT"
	fi

browser: ## the plugin in a real browser: every page and form, with axe; takes the images of the documentation
	@$(SETUP)
	if ! command -v chromium chromium-browser google-chrome >/dev/null && [ -z "$${CHROMIUM:-}" ] \
	    && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then
	  echo "browser: installing Chromium"
	  apt-get install -y -q chromium >/dev/null || { apt-get update -q >/dev/null; apt-get install -y -q chromium >/dev/null; }
	fi
	if jenkins_resolvable; then
	  MAVEN="$$MAVEN -Pbrowser" program browser.BrowserTour "$(CURDIR) $$MAVEN"
	else
	  echo "browser: nothing was tried, $$LEFT_OUT"
	  exit 1
	fi

simulator: ## the Vast.ai simulator as a program of its own; prints its address
	@$(SETUP)
	program simulator.SimulatorProgram

chaos: ## ten thousand rentals under faults, crashes and a second controller; N=... SEED=... to choose
	@$(SETUP)
	program chaos.Chaos "$(or $(N),10000) $(SEED)"

contract: ## client and simulator against the published API description, where that file is
	@$(SETUP)
	program contract.Contract

machines: ## engine against real root file systems behind OpenSSH's sshd; needs root; CASE=... to choose
	@$(SETUP)
	set_debootstrap
	program machines.Machines "$(CURDIR)/target/machines $(CASE)"

bench: ## how fast, beside Jenkins' own ways; BENCH=quick takes minutes; writes docs/benchmarks.md
	@$(SETUP)
	rm -f $(CURDIR)/target/bench-jenkins.properties
	if jenkins_resolvable; then
	  # The parent POM has tests compiled in a hurry (C1 only), which no controller does.
	  m -q test -Dtest=Benchmark -Dsurefire.rerunFailingTestsCount=0 -Dbench.results=$(CURDIR)/target/bench-jenkins.properties \
	    -DargLine='-Xms1g -Xmx1g @{jenkins.addOpens} @{jenkins.insaneHook} @{jenkins.javaAgent}'
	else
	  echo "bench: only the Jenkins-free part is measured. Left out: everything in a real Jenkins, $$LEFT_OUT"
	fi
	# JMH starts further processes with this one's class path, so it needs a process of its own.
	m -f standalone/pom.xml -q test-compile exec:exec -Dexec.executable=java \
	  -Dexec.args="-cp %classpath $(PACKAGE).bench.Bench $(CURDIR)/target/bench-jenkins.properties $(CURDIR)/docs/benchmarks.md"

format: ## spotless
	@$(SETUP)
	m -q spotless:apply

clean:
	rm -rf target standalone/target work
