import FuzzSupport
import Telemetry
import TelemetryCodec

@testable import TelemetryStore

/// A catalogue that parses is one that can be written back, byte for byte, and from which a table can be made.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(data, count)
    if input.isResealed { Reseal.end(&input.bytes) }
    guard let catalog = try? input.bytes.withRawBytes({ (bytes) throws(CodecError) in try Catalog(bytes) }) else { return 0 }
    var copy = catalog
    _ = try? copy.adopt([TableOptions(name: "telemetry")])
    for entry in catalog.tables {
        let options = TelemetryStore.retained(entry)
        _ = Array("device".utf8).withUnsafeBytes { bucket(of: $0, count: options.buckets) }
        _ = Int64.max.floorDivided(by: options.partitionLength.microseconds)
    }
    let encoded = catalog.encoded
    let again = try? encoded.withBytes { (bytes) throws(CodecError) in try Catalog(bytes) }
    precondition(again == catalog)
    return 0
}

@_cdecl("fuzz_catalog_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
