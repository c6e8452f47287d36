import FuzzSupport
import Telemetry
import TelemetryCodec
import TelemetryStore

@testable import Delivery

/// A ledger is read, or refused; what `dump` shows of it never traps.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(data, count)
    let header = LedgerContent.header(task: "archive")
    if input.isResealed {
        input.bytes.replaceSubrange(..<min(header.count, input.bytes.count), with: header)
        Reseal.ledger(&input.bytes, header: header.count)
    }
    if let content = try? LedgerContent(input.bytes, path: "/ledger", task: "archive") {
        precondition(input.bytes.isEmpty || content.bytes.count <= input.bytes.count)
    }
    let disk = MemoryFileSystem()
    disk.put("/store/deliveries/archive", input.bytes)
    _ = LedgerInspection.findings(storePath: "/store", fileSystem: disk)
    var entryCount = 0
    _ = try? LedgerInspection.dump("/store/deliveries/archive", fileSystem: disk) { _ in entryCount += 1 }
    return 0
}

@_cdecl("fuzz_ledger_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
