// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernel
import Model
import Testing

@Suite struct ChildProcessTests {
  private func wait(_ child: borrowing ChildProcess) -> Int32 {
    while true {
      if let status = child.exitStatus() { return status }
      usleep(1000)
    }
  }

  @Test func runsOnlyWhenToldTo() throws {
    let mark = NSTemporaryDirectory() + "child-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: mark) }
    var child = try ChildProcess(command: ["touch", mark])
    usleep(50_000)
    #expect(!FileManager.default.fileExists(atPath: mark))
    try child.run()
    #expect(wait(child) == 0)
    #expect(FileManager.default.fileExists(atPath: mark))
  }

  @Test(arguments: [("exit 3", 3), ("kill -TERM $$", 128 + 15), ("true", 0)] as [(String, Int32)])
  func exitStatusAsAShellGivesIt(script: String, status: Int32) throws {
    var child = try ChildProcess(command: ["sh", "-c", script])
    try child.run()
    #expect(wait(child) == status)
  }

  @Test func failedExecTellsItsErrno() throws {
    var child = try ChildProcess(command: ["/nonexistent/command"])
    #expect(throws: Errno.noent) { try child.run() }
  }

  @Test func findsWhatExecWould() {
    #expect(ChildProcess.find("sh", path: "/nonexistent:/bin") == .success("/bin/sh"))
    #expect(ChildProcess.find("no-such-command", path: "/bin") == .failure(.noent))
    #expect(ChildProcess.find("/etc/passwd", path: nil) == .failure(Errno(rawValue: 13)))
    #expect(ChildProcess.find("/etc", path: nil) == .failure(Errno(rawValue: 21)))
  }
}

@Suite struct ProcessesTests {
  @Test func findsGrandchildren() throws {
    var child = try ChildProcess(command: ["sh", "-c", "sh -c 'sleep 30 & wait' & wait"])
    try child.run()
    defer { child.send(SIGKILL) }
    var found: [Int32] = []
    for _ in 0..<500 where found.count < 2 {
      usleep(10_000)
      found = Processes.descendants(of: [child.pid])
    }
    #expect(found.count >= 2)
    #expect(!found.contains(child.pid))
    for pid in found { kill(pid, SIGKILL) }
    #expect(Processes.descendants(of: [getpid()]).contains(child.pid))
    #expect(Processes.descendants(of: []).isEmpty)
  }
}
