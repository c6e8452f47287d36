import FuzzSupport

/// A checkpoint among the files of a sound store: restored or refused, never trusted.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(data, count)
    if input.isResealed { Reseal.end(&input.bytes) }
    GoldenStore.exercise(GoldenStore.disk(replacing: "/checkpoint", by: input.bytes), dumping: "/checkpoint")
    return 0
}

@_cdecl("fuzz_checkpoint_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
