"""AWS: signatures judged by moto, credentials from shared files, containers and instances as boto3 finds them, and clocks that are apart."""
import json, os, pathlib, re, subprocess, sys, tempfile, time, unittest, urllib.error, urllib.parse, urllib.request
import boto3
from aws_parts import Front, Metadata, Moto, Plain, Runtime, Tunnel
from harness import BINARY, Program, call
from wire import until

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


class AWSCase(unittest.TestCase):
    """Parts and gateways of one test, stopped after it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-aws-")
        self.addCleanup(self.folder.cleanup)

    def part(self, made):
        self.addCleanup(made.stop)
        return made

    def configuration(self, pools):
        path = os.path.join(self.folder.name, "sluice.yaml")
        pathlib.Path(path).write_text('version: 1\nprofile: testing\nserver: {listen: "127.0.0.1:0"}\npools:\n' + pools)
        return path

    def gateway(self, pools, **environment):
        return self.part(Program("serve", "--config", self.configuration(pools), environment={"HOME": self.folder.name, **environment}))

    def pool(self, url, options="region: us-east-1", more=""):
        """A pool without keys, which nobody probes meanwhile."""
        return f'  bedrock: {{provider: bedrock, base_url: "{url}", options: {{{options}}}, health: {{interval: 24h}}{more}}}\n'

    def invoke(self, gateway, model=MODEL):
        return call(f"{gateway.url}/model/{urllib.parse.quote(model, safe='')}/invoke", {"max_tokens": 1})

    def endpoint(self, gateway, pool="bedrock"):
        return call(f"{gateway.url}/api/pools/{pool}")[2]["endpoints"][0]

    def botocore_key(self, **environment):
        """The access key that boto3 finds with the same environment."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        script = "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)"
        return subprocess.run([sys.executable, "-c", script], env={**clean, "HOME": self.folder.name, **environment}, check=True,
                              capture_output=True, text=True, timeout=60).stdout.strip()


class SignaturesJudgedByMoto(AWSCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto(free=3)
        client = boto3.client("iam", endpoint_url=cls.moto.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_user(UserName="user")
        cls.key = client.create_access_key(UserName="user")["AccessKey"]
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        client.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=json.dumps(everything))

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()

    def options(self, secret=None):
        return f'region: us-east-1, access_key_id: "{self.key["AccessKeyId"]}", secret_access_key: "{secret or self.key["SecretAccessKey"]}"'

    def test_a_model_with_a_colon_is_invoked(self):
        gateway = self.gateway(self.pool(self.moto.url, self.options()))
        for _ in range(3):
            status, headers, body = self.invoke(gateway)
            self.assertEqual((status, body), (200, {}), gateway.lines[-3:])
        self.assertEqual(headers["x-sluice-attempts"], "1")

    def test_no_clients_spelling_makes_a_signature_wrong(self):
        gateway = self.gateway(self.pool(self.moto.url, self.options()))
        model = urllib.parse.quote(MODEL, safe="")
        spellings = [(f"/model/{model}/invoke?b=2&a=%2f&c&&d=x+y%7e", {}), (f"//model/./x/../{model}//invoke", {}),
                     (f"/model/{model}/invoke", {"connection": "content-type"}), (f"/model/{MODEL}/invoke?a=b=c&a=b", {})]
        for path, headers in spellings:
            with self.subTest(path=path, headers=headers):
                request = urllib.request.Request(f"{gateway.url}/pools/bedrock{path}", b"{}", {"content-type": "application/json", **headers})
                with urllib.request.urlopen(request, timeout=20) as answer:
                    self.assertEqual(answer.status, 200)
        self.assertEqual(self.endpoint(gateway)["state"], "healthy")

    def test_a_wrong_secret_is_the_keys_fault(self):
        gateway = self.gateway(self.pool(self.moto.url, self.options("wrong")))
        status, _, body = self.invoke(gateway)
        self.assertEqual(status, 403)
        self.assertIn("SignatureDoesNotMatch", body)
        self.assertEqual(self.endpoint(gateway)["state"], "rejected")
        self.assertNotIn("wrong", "".join(gateway.lines))

    def test_the_security_token_service_knows_who_signs(self):
        tunnel = self.part(Tunnel(self.moto.address))
        gateway = self.gateway(self.pool("http://sts.us-east-1.amazonaws.com", self.options(), f', proxy: "{tunnel.url}"'))
        request = urllib.request.Request(gateway.url + "/pools/bedrock/", b"Action=GetCallerIdentity&Version=2011-06-15",
                                         {"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
        try:
            answer = urllib.request.urlopen(request, timeout=20).read().decode()
        except urllib.error.HTTPError as error:
            answer = f"{error.status} {error.read().decode()}"
        self.assertIn("<Arn>arn:aws:iam::123456789012:user/user</Arn>", answer)
        self.assertEqual(tunnel.asked[0], "sts.us-east-1.amazonaws.com:80")


    def certificate(self):
        """Of all of AWS's hosts in the region, which also vouches for itself."""
        names = [os.path.join(self.folder.name, name) for name in ("certificate.pem", "key.pem")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=aws.test", "-addext", "subjectAltName=DNS:*.us-east-1.amazonaws.com", "-out", names[0],
                        "-keyout", names[1]], check=True, capture_output=True, timeout=60)
        return names

    def test_the_heartbeat_asks_the_security_token_service(self):
        # The runtime host has no free call.
        iam = boto3.client("iam", endpoint_url=self.moto.url, region_name="us-east-1", aws_access_key_id=self.key["AccessKeyId"],
                           aws_secret_access_key=self.key["SecretAccessKey"])
        key = iam.create_access_key(UserName="user")["AccessKey"]
        tls = self.certificate()
        runtime, sts = self.part(Runtime(tls=tls)), self.part(Front(self.moto.address, tls))
        tunnel = self.part(Tunnel(routes={"bedrock-runtime.us-east-1.amazonaws.com": (runtime.address, 0),
                                          "sts.us-east-1.amazonaws.com": (sts.address, 0)}))
        gateway = self.gateway(self.pool(
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            f'region: us-east-1, access_key_id: "{key["AccessKeyId"]}", secret_access_key: "{key["SecretAccessKey"]}"',
            f', proxy: "{tunnel.url}", tls_ca: "{tls[0]}", connections: {{keep_warm: 1h}}, heartbeat: {{interval: 1s}}'))

        def metric(name, more=""):
            text = urllib.request.urlopen(gateway.url + "/metrics", timeout=20).read().decode()
            return int(re.search(rf'sluice_{name}\{{pool="bedrock",[^}}]*{more}\}} (\d+)', text)[1])
        self.assertEqual((sts.seen, metric("heartbeats_total", 'result="success"')), ([], 0), "before the first use")
        began = time.monotonic()
        self.assertEqual(self.invoke(gateway)[0], 200, gateway.lines[-3:])
        until(lambda: len(sts.seen) >= 3, "three heartbeats", 60)
        self.assertLessEqual(len(sts.seen), (time.monotonic() - began) / 0.9 + 1, "more than one in an interval")
        for headers, body, status in sts.seen[:3]:
            self.assertEqual((status, body, headers["host"]),
                             (200, b"Action=GetCallerIdentity&Version=2011-06-15", "sts.us-east-1.amazonaws.com"))
            self.assertRegex(headers["authorization"], rf"Credential={key['AccessKeyId']}/\d+/us-east-1/sts/aws4_request")
        self.assertGreaterEqual(metric("heartbeats_total", 'result="success"'), 3)
        self.assertEqual((metric("heartbeats_total", 'result="failure"'), metric("heartbeat_failing")), (0, 0))
        self.assertEqual(self.endpoint(gateway)["state"], "healthy")
        self.assertEqual(runtime.keys, [key["AccessKeyId"]], "one call, the client's, on one connection")
        iam.delete_access_key(UserName="user", AccessKeyId=key["AccessKeyId"])
        until(lambda: self.endpoint(gateway)["state"] == "rejected", "the key is found out", 60)
        self.assertEqual((metric("heartbeats_total", 'result="failure"'), metric("heartbeat_failing")), (1, 1))
        asked = len(sts.seen)
        self.assertEqual(sts.seen[-1][2], 403)
        self.assertEqual(len(runtime.keys), 1, "no client had to find out")
        status, headers, _ = self.invoke(gateway)
        self.assertEqual((status, headers["x-sluice-attempts"], len(runtime.keys)), (401, "0", 1))
        self.assertEqual(len(sts.seen), asked, "nobody asks with a key that is out")


class CredentialsFromElsewhere(AWSCase):
    def test_the_instances_role_is_renewed_before_it_ends(self):
        metadata, runtime = self.part(Metadata(lifetime=6)), self.part(Runtime())
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
        self.assertRegex(self.botocore_key(**environment), "ASIAISSUED")
        gateway = self.gateway(self.pool(runtime.url), **environment)
        statuses, end = set(), time.monotonic() + 9
        while time.monotonic() < end:
            statuses.add(self.invoke(gateway)[0])
            time.sleep(0.1)
        self.assertEqual(statuses, {200})
        self.assertGreaterEqual(len(set(runtime.keys)), 3, runtime.keys)
        self.assertEqual(self.endpoint(gateway)["state"], "healthy")
        shown = call(f"{gateway.url}/api/pools/bedrock")[2]["credentials"]
        self.assertEqual([(each["source"], each["valid"]) for each in shown], [("the instance's role", True)])
        self.assertLess(shown[0]["expires_in_seconds"], 7)
        self.assertNotIn("ASIAISSUED", json.dumps(shown))

    def test_the_containers_role(self):
        metadata, runtime = self.part(Metadata()), self.part(Runtime())
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": metadata.url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"}
        self.assertEqual(self.botocore_key(**environment), "ASIAISSUED1")
        gateway = self.gateway(self.pool(runtime.url), **environment)
        self.assertEqual(self.invoke(gateway)[0], 200)
        self.assertEqual(runtime.keys, ["ASIAISSUED2"])
        self.assertNotIn("container-token", "".join(gateway.lines))

    def test_without_any_valid_credentials_the_answer_says_why_until_there_are_some(self):
        metadata, runtime = self.part(Metadata()), self.part(Runtime())
        metadata.down = True
        gateway = self.gateway(self.pool(runtime.url), AWS_CONTAINER_CREDENTIALS_FULL_URI=metadata.url + "/container",
                               AWS_CONTAINER_AUTHORIZATION_TOKEN="container-token")
        status, headers, body = self.invoke(gateway)
        self.assertEqual(status, 503, body)
        self.assertIn("the container's credentials could not be had: it answered 503", json.dumps(body))
        self.assertEqual((headers["x-sluice-attempts"], runtime.keys), ("0", []))
        metadata.down = False
        until(lambda: self.invoke(gateway)[0] == 200, "credentials come back", 15)

    def test_shared_files_are_read_again_when_aws_refuses_what_they_held(self):
        runtime = self.part(Runtime())
        home = pathlib.Path(self.folder.name, ".aws")
        home.mkdir()

        def write(key):
            text = f"[default]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = x\n\n[work]\naws_access_key_id = {key}\naws_secret_access_key = secret\n"
            (home / "credentials").write_text(text)
        write("AKIDFIRST")
        (home / "config").write_text("[profile work]\nregion = eu-west-1\n")
        self.assertEqual(self.botocore_key(AWS_PROFILE="work"), "AKIDFIRST")
        gateway = self.gateway(self.pool(runtime.url, "region: us-east-1, profile: work"), AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="x")
        self.assertEqual(self.invoke(gateway)[0], 200)
        # What AWS refuses right after it was found is not looked for again at once.
        time.sleep(3.2)
        write("AKIDSECOND")
        runtime.expired.add("AKIDFIRST")
        status, headers, _ = self.invoke(gateway)
        self.assertEqual((status, headers["x-sluice-attempts"]), (200, "2"))
        self.assertEqual(runtime.keys, ["AKIDFIRST", "AKIDFIRST", "AKIDSECOND"])
        self.assertEqual(self.endpoint(gateway)["state"], "healthy")

    def test_credentials_that_nobody_renews_are_out(self):
        runtime = self.part(Runtime())
        runtime.expired.add("AKIDENV")
        gateway = self.gateway(self.pool(runtime.url), AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="x", AWS_SESSION_TOKEN="t")
        status, _, body = self.invoke(gateway)
        self.assertEqual((status, runtime.keys), (403, ["AKIDENV"]), body)
        self.assertEqual(self.endpoint(gateway)["state"], "rejected")

    def test_what_is_not_supported_is_refused_at_its_line(self):
        config = pathlib.Path(self.folder.name, "config")
        config.write_text("[default]\nregion = eu-west-1\n\n[profile sso]\nsso_session = work\nregion = eu-west-1\n")
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "sso"}
        path = self.configuration(self.pool("http://127.0.0.1:9"))
        checked = subprocess.run([BINARY, "check", path], env=environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(checked.returncode, 1, checked)
        self.assertIn(f"{config}:5:1: error: profile 'sso' uses 'sso_session', which is not supported", checked.stdout + checked.stderr)

    def test_discovery_finds_a_profile_and_leaves_its_secret_where_it_is(self):
        home = pathlib.Path(self.folder.name, ".aws")
        home.mkdir()
        (home / "credentials").write_text("[default]\naws_access_key_id = AKIDHOME\naws_secret_access_key = topsecret\n")
        (home / "config").write_text("[default]\nregion = eu-central-1\n")
        path = os.path.join(self.folder.name, "started.yaml")
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name}
        made = subprocess.run([BINARY, "init", path], env=environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(made.returncode, 0, made)
        text = pathlib.Path(path).read_text()
        self.assertIn("the AWS profile 'default' has credentials", text)
        self.assertIn('region: "eu-central-1"', text)
        self.assertNotIn("topsecret", text)
        checked = subprocess.run([BINARY, "check", path], env=environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(checked.returncode, 0, checked)


class ClocksThatAreApart(AWSCase):
    def test_the_providers_clock_is_learned_and_the_request_repeated_once(self):
        for ahead in (3600, -3600):
            with self.subTest(ahead=ahead):
                runtime = self.part(Runtime(ahead))
                gateway = self.gateway(self.pool(runtime.url), AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="x")
                status, headers, body = self.invoke(gateway)
                self.assertEqual((status, headers["x-sluice-attempts"]), (200, "2"), body)
                status, headers, _ = self.invoke(gateway)
                self.assertEqual((status, headers["x-sluice-attempts"]), (200, "1"))
                self.assertEqual(self.endpoint(gateway)["state"], "healthy")

    def test_a_clock_that_cannot_be_right_is_not_believed(self):
        runtime = self.part(Runtime(ahead=30 * 86400))
        gateway = self.gateway(self.pool(runtime.url), AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="x")
        status, headers, _ = self.invoke(gateway)
        self.assertEqual((status, headers["x-sluice-attempts"]), (403, "1"))
        self.assertEqual(self.endpoint(gateway)["state"], "healthy", "the key is not at fault")


class RegionsByDistance(AWSCase):
    """Two regions behind a proxy that takes its time with one of them."""

    def pools(self, tunnel):
        return f"""  models:
    provider: openai
    proxy: "{tunnel.url}"
    keys: [sk-1]
    endpoints: [{{url: "http://far.test/v1", region: far}}, {{url: "http://near.test/v1", region: near}}]
    balance: {{region_hold: 1s}}
    connections: {{reconnect_delay: 50ms, keep_warm: 0s}}
    health: {{interval: 24h, unhealthy_after: 1000}}
"""

    def test_the_nearest_serves_and_is_left_and_found_again(self):
        far, near = self.part(Plain()), self.part(Plain())
        slow, fast = (far.address, 0.3), (near.address, 0.01)
        tunnel = self.part(Tunnel(routes={"far.test": slow, "near.test": fast}))
        gateway = self.gateway(self.pools(tunnel))

        def asked():
            return call(gateway.url + "/pools/models/x", method="GET")[1]["x-sluice-endpoint"]

        def region():
            return call(gateway.url + "/api/pools/models")[2]["region"]
        self.assertEqual(region(), "far", "nothing is measured yet: the file's order")
        until(lambda: asked() == "near.key1", "the nearer one is found")
        shown = call(gateway.url + "/api/pools/models")[2]
        self.assertEqual([each["region"] for each in shown["endpoints"]], ["far", "near"])
        distances = {each["name"]: each["connect_ms"] for each in shown["origins"]}
        self.assertGreater(distances["far.test"], 3 * distances["near.test"], distances)
        self.assertEqual({asked() for _ in range(20)}, {"near.key1"})
        # Nobody answers there any more.
        tunnel.cut("near.test")
        until(lambda: asked() == "far.key1", "the other region serves")
        self.assertEqual({asked() for _ in range(10)}, {"far.key1"})
        tunnel.routes["near.test"] = fast
        began = time.monotonic()
        until(lambda: asked() == "near.key1", "the nearer region is back", 15)
        self.assertGreaterEqual(time.monotonic() - began, 1)
        metrics = urllib.request.urlopen(gateway.url + "/metrics", timeout=10).read().decode()
        self.assertIn('sluice_pool_region_serving{pool="models",region="near"} 1', metrics)
