// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Kernel
import Model
import Monitor
import Pump
import Recording

/// The monitor's flight recorder, and the recordings that are made of it.
final class MonitorRecordings {
  private let directory: MonitorDirectory
  var pump: RecordPump?
  var policy: RecordingPolicy
  private var store: RecordingStore
  private var recorder: FlightRecorder?
  private var losses = LossWatch()
  private let memory: Int
  private var (keep, maxTotal): (Int, Int)
  private var (written, failed): (UInt64, UInt64) = (0, 0)
  private var environment: RecordingEnvironment?
  private var isTold = false
  /// Since the last recording.
  private var unwatched: [RecordingEnvironment.UnwatchedModule] = []
  private static let unwatchedLimit = 1000

  init(
    _ directory: MonitorDirectory, _ settings: MonitorConfiguration, now: UInt64
  ) {
    store = RecordingStore(path: directory.path)
    self.directory = directory
    policy = RecordingPolicy(
      againNs: settings.againNs, perHour: settings.recordingsPerHour, now: now)
    memory = settings.memory
    (keep, maxTotal) = (settings.keep, settings.maxTotal)
    _ = store.prune(keep: keep, maxTotal: maxTotal)
  }

  /// Where parts are written until they have their name.
  private var drafts: String { "\(directory.path)/.flight" }

  func begin(_ environment: RecordingEnvironment) throws(AgentError) {
    store.removeDrafts(drafts)
    do throws(RecordingError) {
      let recorder = try FlightRecorder.create(
        at: drafts, environment: environment, size: memory, keep: Int.max)
      self.recorder = recorder
      self.environment = environment
      pump = RecordPump(.memory(recorder))
    } catch {
      throw .recording(error)
    }
  }

  func change(_ settings: MonitorConfiguration, now: UInt64) {
    policy.change(againNs: settings.againNs, perHour: settings.recordingsPerHour, now: now)
    (keep, maxTotal) = (settings.keep, settings.maxTotal)
    _ = store.prune(keep: keep, maxTotal: maxTotal)
  }

  func update(_ environment: RecordingEnvironment) {
    var environment = environment
    environment.unwatched = unwatched
    self.environment = environment
    pump?.update(environment)
  }

  /// A module was not watched for a while.
  func tell(_ came: ModuleChanges.Came) {
    guard let from = came.fromNs, unwatched.count < Self.unwatchedLimit else { return }
    unwatched.append(.init(module: came.module, fromNs: from, toNs: came.toNs))
  }

  /// Each second.
  func look(_ tracer: borrowing Tracer, _ tallies: [HookTally], now: UInt64) {
    guard let tally = pump?.tally else { return }
    pump?.flush(now: now)
    pump?.checkPlace()
    if tallies.contains(where: { $0.tally.lost > 0 }) { pump?.lost(tracer.lostByCPU()) }
    pump?.tell(losses.look(tallies, tally, now: now))
  }

  /// What keeps recordings from being made, told once. The directory may come back.
  func problem() -> String? {
    guard let failure = pump?.failure else {
      isTold = false
      return nil
    }
    if let environment, access(directory.path, W_OK | X_OK) == 0 { try? begin(environment) }
    guard pump?.failure != nil, !isTold else { return nil }
    isTold = true
    return "no recordings are made: \(failure.sentence)"
  }

  /// Writes what the flight recorder holds. nil: there is nothing to be written.
  func write(
    _ tracer: borrowing Tracer, isWanted: Bool, now: UInt64
  ) -> Result<String, RecordingError>? {
    guard pump != nil, let tally = pump?.tally else { return nil }
    let kind = policy.isDue(at: isWanted ? .max : now)
    pump?.lost(tracer.lostByCPU())
    let totals = losses.all(tracer, tally, now: now)
    var isWritten = false
    defer { policy.settled(written: isWritten, now: now) }
    do throws(RecordingError) {
      guard
        let draft = try pump?.write(kind == nil ? .signal : .failure, totals: { totals }, now: now)
      else { return nil }
      let name = RecordingStore.name(of: kind, utc: Int(Clock.wall() / 1_000_000_000))
      let path: String
      do throws(Errno) {
        path = try store.adopt(draft, as: name)
      } catch {
        throw .cannotCreate(path: "\(directory.path)/\(name)", errno: error.rawValue)
      }
      isWritten = true
      // Told once, as the records of that time are.
      unwatched = []
      if let environment { update(environment) }
      written &+= 1
      _ = store.prune(keep: keep, maxTotal: maxTotal)
      return .success(path)
    } catch {
      failed &+= 1
      return .failure(error)
    }
  }

  func end() {
    pump = nil
    recorder = nil
    store.removeDrafts(drafts)
  }

  func count(into own: inout MonitorMetrics.Own) {
    own.recordingsWritten = written
    own.recordingsFailed = failed
    own.recordingsKnown = policy.known
    own.recordingsLimited = policy.limited
    own.recordingsStored = UInt64(store.stored.count)
    own.recordingsBytes = store.bytes
    own.overwritten = recorder?.overwritten ?? 0
  }
}
