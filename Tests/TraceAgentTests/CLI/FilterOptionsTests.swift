// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel
import Model
import Testing

@testable import mrtrace

/// What the filters take, and what they say of what they do not.
@Suite struct FilterOptionsTests {
  private func message(_ arguments: String...) -> String {
    do {
      _ = try FilterOptions.parse(arguments)
      return "accepted"
    } catch {
      return FilterOptions.message(for: error)
    }
  }

  @Test func valuesOfAKindAddUp() throws {
    let options = try FilterOptions.parse([
      "--comm", "server", "--comm", "client", "--device", "rxe0",
      "--errno", "EFAULT,eperm", "--errno", "14,95",
    ])
    let filter = try options.subject.filter()
    #expect(filter.comms == ["server", "client"])
    #expect(filter.devices == ["rxe0"])
    #expect(filter.errnos.map(\.description) == ["EFAULT", "EPERM", "EOPNOTSUPP"])
    #expect(
      options.subject.words == [
        "comm server, client", "device rxe0", "errno EFAULT, EPERM, EOPNOTSUPP",
      ])
  }

  @Test func nothingIsAskedForByDefault() throws {
    let filter = try FilterOptions.parse([]).subject.filter()
    #expect(filter == OperationFilter())
    #expect(!filter.asksForOwner)
  }

  @Test func aMisspelledErrnoHasANeighbour() {
    #expect(
      message("--errno", "EFALT") == "--errno: there is no errno 'EFALT'; did you mean EFAULT?")
    #expect(message("--errno", "EPERM,").contains("no errno ''"))
    #expect(message("--errno", "4096").contains("no errno '4096'"))
    #expect(message("--errno", "0").contains("no errno '0'"))
  }

  @Test func aNameThatNoTaskCanHaveIsRefused() {
    #expect(message("--comm", "fifteen_letters") == "accepted")
    #expect(
      message("--comm", "sixteen_letters_")
        == "--comm sixteen_letters_: the kernel keeps 15 bytes of a name: sixteen_letters")
    #expect(message("--comm", "") == "--comm: a name is missing")
    #expect(message("--device", String(repeating: "x", count: 64)).contains("no RDMA device has"))
  }

  @Test func processesAndAllExclude() {
    #expect(message("-a", "-p", "1") == "give either -a or -p, not both.")
    #expect(message("-p", "0").contains("a process's number is more than 0"))
  }

  @Test func tooManyErrnosAreRefused() {
    let list = (1...17).map(String.init).joined(separator: ",")
    #expect(message("--errno", list) == "--errno: at most 16 errnos can be asked for")
    #expect(message("--errno", String(list.dropLast(3))) == "accepted")
  }

  @Test func aGroupThatIsNotThereIsNamed() throws {
    let options = try FilterOptions.parse(["--cgroup", "/no/such/group"])
    do throws(AgentError) {
      _ = try options.subject.filter()
      Issue.record("a group that is not there was accepted")
    } catch {
      #expect(error.sentence.hasPrefix("--cgroup /no/such/group: "))
    }
  }

  @Test func aProcessThatIsNotThereIsNamed() throws {
    let options = try FilterOptions.parse(["-p", "\(Int32.max)"])
    do throws(AgentError) {
      _ = try options.subject.filter()
      Issue.record("a process that is not there was accepted")
    } catch {
      #expect(error.sentence == "there is no process \(Int32.max)")
    }
  }
}
