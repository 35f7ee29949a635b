"""Every speed of the suite beside a bound that is measured in the same run: `./ci/bench`."""
