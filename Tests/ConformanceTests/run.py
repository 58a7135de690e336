"""Runs every test_*.py of the current folder, or what is named; when asked by the environment, adds "PASSED FAILED" for the caller."""
import os, sys, unittest

sys.path.insert(0, os.getcwd())
suite = unittest.defaultTestLoader.discover(".") if len(sys.argv) == 1 else unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
if os.environ.get("RESULTS"):
    path, before = os.path.join(os.environ["RESULTS"], "counts"), (0, 0)
    if os.path.exists(path):
        with open(path) as file:
            before = [int(word) for word in file.read().split()]
    with open(path, "w") as file:
        file.write(f"{before[0] + result.testsRun - failed - len(result.skipped)} {before[1] + failed}\n")
sys.exit(0 if failed == 0 and result.testsRun else 1)
