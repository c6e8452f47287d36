import FuzzSupport
import TelemetryCodec

@testable import TelemetryStore

/// A partition state that parses says the same once it is written back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(data, count)
    if input.isResealed { Reseal.end(&input.bytes) }
    guard let record = try? input.bytes.withRawBytes({ (bytes) throws(CodecError) in try PartitionRecord(bytes) }) else { return 0 }
    let encoded = record.encoded
    let again = try? encoded.withBytes { (bytes) throws(CodecError) in try PartitionRecord(bytes) }
    precondition(again == record)
    return 0
}

@_cdecl("fuzz_state_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
