"""Runs every test_*.py here and, when asked by the environment, leaves "PASSED FAILED" for the caller."""
import os, sys, unittest

suite = unittest.defaultTestLoader.discover(".") if len(sys.argv) == 1 else unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
if os.environ.get("RESULTS"):
    with open(os.path.join(os.environ["RESULTS"], "counts"), "w") as file:
        file.write(f"{result.testsRun - failed - len(result.skipped)} {failed}\n")
sys.exit(0 if failed == 0 and result.testsRun else 1)
