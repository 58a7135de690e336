import Logging
import NIOCore
import NIOPosix
import Sluice
import SluiceConfiguration
import SluiceDialects
import SluiceRuntime
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Credentials from files and from metadata services, over real HTTP.
struct AWSCredentialKeeperTests {
  static func document(_ keyID: String, expires: UnixTime?) -> String {
    let end = expires.map { #","Expiration":"\#(DateText.rfc3339(unixSeconds: Int($0.milliseconds / 1000)))""# } ?? ""
    return #"{"Code":"Success","AccessKeyId":"\#(keyID)","SecretAccessKey":"s","Token":"t"\#(end)}"#
  }

  static let later = UnixTime.seconds(4_000_000_000)

  /// A room for the time of one test.
  private func withRoom(
    _ environment: [String: String], files: [String: String] = [:], patience: TimeAmount = .minutes(5),
    _ body: (AWSCredentialRoom) async throws -> Void
  ) async throws {
    let access = FileAccess { path, _ in files[path].map { .success(Array($0.utf8)) } ?? .failure(.missing) }
    let room = AWSCredentialRoom(
      loops: [MultiThreadedEventLoopGroup.singleton.next()], environment: environment, files: access,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), patience: patience)
    defer { room.keep(only: []) }
    try await body(room)
  }

  private func desk(_ room: AWSCredentialRoom, _ options: ProviderOptions = .none) -> any SigningDesk {
    room.desk(AWSCredentialPlan(options: options, environment: room.environment))
  }

  /// What is in force once the first look has ended.
  private func settled(_ desk: any SigningDesk) async -> AWSCredentials? {
    await renewed(desk, insteadOf: nil)
    return desk.credentials(.seconds(1_800_000_000))
  }

  private func renewed(_ desk: any SigningDesk, insteadOf refused: AWSCredentials?) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      if desk.renew(insteadOf: refused, wallNow, { continuation.resume() }) != .underWay { continuation.resume() }
    }
  }

  private var wallNow: UnixTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return .seconds(Int64(time.tv_sec))
  }

  @Test func anInstancesRole() async throws {
    let stage = try await MetadataStage.start { line, _ in
      if line.hasPrefix("PUT /latest/api/token ") { return (200, "SESSION") }
      if line.hasPrefix("GET /latest/meta-data/iam/security-credentials/ ") { return (200, "role") }
      return (200, Self.document("ASIAINSTANCE", expires: Self.later))
    }
    try await withRoom(["AWS_EC2_METADATA_SERVICE_ENDPOINT": stage.url]) { room in
      let found = await settled(desk(room))
      #expect(found == AWSCredentials(keyID: "ASIAINSTANCE", secret: "s", sessionToken: "t", expiration: Self.later))
      #expect(stage.requests.count == 3)
      #expect(stage.requests.dropFirst().allSatisfy { $0.head.contains("x-aws-ec2-metadata-token: SESSION\r\n") })
    }
    await stage.stop()
  }

  @Test func aContainersRoleWithATokenFromAFile() async throws {
    let stage = try await MetadataStage.start { _, _ in (200, Self.document("ASIACONTAINER", expires: Self.later)) }
    let environment = [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url + "/creds?x=1",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
    ]
    try await withRoom(environment, files: ["/token": "Bearer abc\n"]) { room in
      #expect(await settled(desk(room))?.keyID == "ASIACONTAINER")
      #expect(stage.requests.first?.line == "GET /creds?x=1 HTTP/1.1")
      #expect(stage.requests.first?.head.contains("authorization: Bearer abc\r\n") == true)
    }
    await stage.stop()
  }

  @Test func whatWasAcceptedIsRemembered() async throws {
    try await withRoom(["AWS_ACCESS_KEY_ID": "AKIDFIXED", "AWS_SECRET_ACCESS_KEY": "s"]) { room in
      let desk = desk(room)
      let held = try #require(desk.credentials(wallNow))
      #expect(!desk.hasAccepted(held))
      desk.accepted(held)
      #expect(desk.hasAccepted(held) && !desk.hasAccepted(AWSCredentials(keyID: "AKIDFIXED", secret: "t")))
    }
  }

  @Test func aServerInTroubleIsAskedOnceMore() async throws {
    let stage = try await MetadataStage.start { _, count in
      count == 1 ? (503, "") : (200, Self.document("ASIASECOND", expires: Self.later))
    }
    try await withRoom(["AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url]) { room in
      #expect(await settled(desk(room))?.keyID == "ASIASECOND")
      #expect(stage.requests.count == 2)
    }
    await stage.stop()
  }

  @Test func silenceEndsAfterSomeTries() async throws {
    let stage = try await MetadataStage.start { _, _ in nil }
    let environment = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url]
    try await withRoom(environment, patience: .seconds(1)) { room in
      let desk = desk(room)
      #expect(await settled(desk) == nil)
      #expect(desk.complaint.contains("no answer in time"))
      // A slow machine may have begun to look once more by now.
      #expect(stage.requests.count >= AWSMetadataDialogue.attempts)
    }
    await stage.stop()
  }

  @Test func longAnswersAreNotRead() async throws {
    let long = String(repeating: "x", count: AWSMetadataDialogue.maxAnswer + 1)
    let stage = try await MetadataStage.start { _, _ in (200, long) }
    try await withRoom(["AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url]) { room in
      let desk = desk(room)
      #expect(await settled(desk) == nil)
      #expect(desk.complaint.contains("too long"))
    }
    await stage.stop()
  }

  @Test func refusedCredentialsAreRenewedForAllWhoWaitByOneLook() async throws {
    // The first end soon enough to be asked for again by themselves, but AWS is faster.
    let stage = try await MetadataStage.start { _, count in
      (200, Self.document(count == 1 ? "ASIAONE" : "ASIATWO", expires: Self.later))
    }
    try await withRoom(["AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url]) { room in
      let desk = desk(room)
      let first = await settled(desk)
      #expect(first?.keyID == "ASIAONE")
      // They are settled by now, as the desk sees it.
      let future = wallNow + (CredentialRefresh.settled + 1_500)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
              if desk.renew(insteadOf: first, future, { continuation.resume() }) != .underWay { continuation.resume() }
            }
          }
        }
      }
      #expect(desk.credentials(.seconds(1_800_000_000))?.keyID == "ASIATWO")
      #expect(stage.requests.count == 2)
    }
    await stage.stop()
  }

  @Test func aPlanIsKeptOnceAndOverReloads() async throws {
    let stage = try await MetadataStage.start { _, _ in (200, Self.document("ASIAX", expires: Self.later)) }
    try await withRoom(["AWS_CONTAINER_CREDENTIALS_FULL_URI": stage.url]) { room in
      let plan = AWSCredentialPlan(options: .none, environment: room.environment)
      let first = room.desk(plan)
      #expect(first === room.desk(plan))
      #expect(await settled(first) != nil)
      room.keep(only: [plan])
      #expect(first === room.desk(plan))
      room.keep(only: [])
      #expect(first !== room.desk(plan))
      #expect(first.credentials(.seconds(1_800_000_000)) != nil, "who still holds it signs on")
      #expect(first.renew(insteadOf: nil, Self.later) {} == .hopeless)
    }
    await stage.stop()
  }

  @Test func aProfileThatIsNotSupportedSaysWhere() async throws {
    let files = ["/h/.aws/config": "[profile w]\nsso_session = s\n"]
    try await withRoom(["HOME": "/h", "AWS_PROFILE": "w"], files: files) { room in
      let desk = desk(room)
      #expect(await settled(desk) == nil)
      #expect(desk.complaint.hasPrefix("/h/.aws/config:2: profile 'w' uses 'sso_session'"))
    }
  }

  @Test func withoutAnySourceItSaysWhatToDo() async throws {
    try await withRoom(["HOME": "/h", "AWS_EC2_METADATA_DISABLED": "true"]) { room in
      let desk = desk(room)
      #expect(await settled(desk) == nil)
      #expect(desk.complaint.contains("no AWS credentials: set AWS_ACCESS_KEY_ID"))
      #expect(desk.complaint.contains("/h/.aws/credentials"))
    }
  }

  @Test func clocksAreRememberedByHost() async throws {
    try await withRoom(["AWS_ACCESS_KEY_ID": "AKIDX", "AWS_SECRET_ACCESS_KEY": "s"]) { room in
      let desk = desk(room)
      desk.learn(clockOffset: 600_000, of: "a.example")
      #expect(desk.clockOffset(of: "a.example") == 600_000 && desk.clockOffset(of: "b.example") == 0)
      for number in 0..<2_000 { desk.learn(clockOffset: 1, of: "h\(number)") }
      #expect(desk.clockOffset(of: "h1999") == 0, "so many are not remembered")
      desk.learn(clockOffset: 5, of: "a.example")
      #expect(desk.clockOffset(of: "a.example") == 5)
      let identity = RequestSigner(desk: desk, region: "x").identity("a.example", now: .seconds(1))
      #expect(identity?.time == .seconds(1) + 5)
    }
  }
}
