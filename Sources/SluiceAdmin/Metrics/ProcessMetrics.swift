import Foundation
import Glibc

/// The process itself, as the kernel tells it: CPU, memory, descriptors.
package struct ProcessMetrics: Sendable {
  package var cpuSeconds: Double
  package var residentBytes: UInt64
  package var openDescriptors: Int
  package var descriptorLimit: UInt64

  package static func read() -> ProcessMetrics {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return ProcessMetrics(
      cpuSeconds: cpu, residentBytes: resident(), openDescriptors: descriptors(),
      descriptorLimit: UInt64(limit.rlim_cur))
  }

  func write(into text: inout PrometheusText) {
    text.begin("process_cpu_seconds_total", .counter, "CPU time of the gateway, user and system.")
    text.sample(cpuSeconds)
    text.begin("process_resident_memory_bytes", .gauge, "Resident memory.")
    text.sample(residentBytes)
    text.begin("process_open_fds", .gauge, "Open file descriptors.")
    text.sample(openDescriptors)
    text.begin("process_max_fds", .gauge, "Most file descriptors the process may open.")
    text.sample(descriptorLimit)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

  private static func resident() -> UInt64 {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func descriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
  }
}
