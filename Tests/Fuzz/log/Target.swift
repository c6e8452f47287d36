import FuzzSupport

/// A log file among the files of a sound store: replayed or refused, never trusted.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(data, count)
    if input.isResealed { Reseal.log(&input.bytes, storeID: GoldenStore.storeID) }
    GoldenStore.exercise(GoldenStore.disk(replacing: ".log", by: input.bytes), dumping: ".log")
    return 0
}

@_cdecl("fuzz_log_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
