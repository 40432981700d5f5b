# Every target does its own set-up on a fresh machine. Underneath are plain Maven calls, which work without make:
# mvn verify, mvn hpi:run, mvn -f standalone verify.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help test demo simulator contract format clean

# The parent POM wants this Maven; where the installed one is older, it is fetched as an ordinary artifact.
MAVEN_WANTED := 3.9.6
MAVEN_FETCHED := 3.9.11
PACKAGE := io.jenkins.plugins.vastai
MAVEN_ARGS ?=

define SETUP
mvn_new() {
  local have; have=$$(mvn --version 2>/dev/null | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p' || true)
  if [ "$$(printf '%s\n' "$(MAVEN_WANTED)" "$${have:-0}" | sort -V | head -1)" = "$(MAVEN_WANTED)" ]; then
    mvn -B -ntp $(MAVEN_ARGS) "$$@"; return
  fi
  local home=.tools/apache-maven-$(MAVEN_FETCHED)
  if [ ! -x $$home/bin/mvn ]; then
    echo "Maven $${have:-is missing}; fetching $(MAVEN_FETCHED) into .tools" >&2
    mvn -B -q -ntp $(MAVEN_ARGS) -f standalone/pom.xml dependency:unpack \
      -Dartifact=org.apache.maven:apache-maven:$(MAVEN_FETCHED):zip:bin -DoutputDirectory=$(CURDIR)/.tools
    chmod +x $$home/bin/mvn
  fi
  $$home/bin/mvn -B -ntp $(MAVEN_ARGS) "$$@"
}
# 0: Jenkins' artifacts can be had; 1: they cannot. Any other trouble with the build file ends here, loudly.
jenkins_resolvable() {
  local log; log=$$(mktemp)
  if mvn_new -q validate >$$log 2>&1; then rm -f $$log; return 0; fi
  if grep -qE 'Could not (transfer|find|resolve)|Non-resolvable|was not found in|Unresolveable' $$log; then
    WHY=$$(grep -m1 -oE 'org\.jenkins-ci[^ ]*|io\.jenkins[^ ]*' $$log || echo "Jenkins' artifacts")
    rm -f $$log; return 1
  fi
  cat $$log >&2; rm -f $$log; exit 1
}
standalone() { mvn_new -f standalone/pom.xml "$$@"; }
program() { standalone -q test-compile exec:java -Dexec.mainClass=$(PACKAGE).$$1 -Dexec.args="$${2:-}"; }
count() { cat $$1/target/surefire-reports/TEST-*.xml 2>/dev/null | sed -n 's/^<testsuite .* tests="\([0-9]*\)".*/\1/p' | paste -sd+ | bc; }
endef

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

test: ## all tests: in a real Jenkins where its artifacts can be resolved, else those of the Jenkins-free part
	@$(SETUP)
	standalone verify
	alone=$$(find standalone/target/surefire-reports -name 'TEST-*.xml' -exec grep -hm1 -oE '<testsuite .* tests="[0-9]+"' {} + | grep -oE 'tests="[0-9]+"' | tr -dc '0-9\n' | paste -sd+ | sed 's/^$$/0/' | awk '{n=split($$0,a,"+");for(i=1;i<=n;i++)s+=a[i];print s}')
	if jenkins_resolvable; then
	  mvn_new verify
	  full=$$(find target/surefire-reports -name 'TEST-*.xml' -exec grep -hm1 -oE '<testsuite .* tests="[0-9]+"' {} + | grep -oE 'tests="[0-9]+"' | tr -dc '0-9\n' | awk '{s+=$$1}END{print s}')
	  echo "test: everything ran: $$full tests in the plugin build with a real Jenkins, $$alone in the Jenkins-free build"
	else
	  echo "test: only the Jenkins-free part ran: $$alone tests. Left out: everything in a real Jenkins, because $$WHY cannot be resolved from here (see README, Building)"
	fi

demo: ## rent, build, destroy against the simulator, with a real Jenkins where it can be had
	@$(SETUP)
	if jenkins_resolvable; then
	  mvn_new -q -Pdemo test-compile exec:java
	else
	  program rental.Demo
	  echo "demo: only the Jenkins-free part ran: no Jenkins was started, because $$WHY cannot be resolved from here (see README, Building)"
	fi

simulator: ## the Vast.ai simulator as a program of its own; prints its address
	@$(SETUP)
	program simulator.SimulatorProgram

contract: ## client and simulator against the published API description, where that file is
	@$(SETUP)
	program contract.Contract

format: ## spotless
	@$(SETUP)
	mvn_new -q spotless:apply

clean:
	rm -rf target standalone/target work
