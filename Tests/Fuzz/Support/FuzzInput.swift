/// What libFuzzer hands over. The last byte chooses how it is used, so that a seed file stays readable from its front.
package struct FuzzInput {
    package var bytes: [UInt8]
    /// True: checksums are made to hold; false: the bytes are used as they are.
    package var isResealed: Bool

    package init(_ data: UnsafePointer<UInt8>?, _ count: Int) {
        bytes = Array(UnsafeBufferPointer(start: data, count: count))
        isResealed = (bytes.popLast() ?? 0) & 1 == 0
    }
}
