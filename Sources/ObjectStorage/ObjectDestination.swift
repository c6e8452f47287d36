/// A place that keeps finished objects under keys. Objects become visible whole or not at all; what is uploaded is never replaced.
///
/// Every call blocks. Any thread.
package protocol ObjectDestination: Sendable {
    /// For messages: the URL without credentials.
    var description: String { get }

    /// For query engines: an absolute directory or `s3://bucket/prefix`, without `/` at the end.
    var engineLocation: String { get }

    /// Checks that the destination can be used, and creates what it can of it.
    func prepare() throws(ObjectError)

    /// Starts an object. Nothing is visible until its `commit`.
    /// - Parameter owner: who writes, [a-z0-9-]; one at a time and folder. Names what `discardUnfinished` may remove.
    func upload(_ key: ObjectKey, owner: String) throws(ObjectError) -> any ObjectUpload

    /// The object under `key`; nil if there is none. What it tells is durable.
    func stat(_ key: ObjectKey) throws(ObjectError) -> ObjectStat?

    /// Exactly `count` bytes from `offset` of an object.
    func read(_ key: ObjectKey, offset: Int, count: Int) throws(ObjectError) -> [UInt8]

    /// Puts a small document under `key`, or in the place of the one there: readers see the old one or the new one, whole, and on return
    /// it is durable. One at a time and key. After an error it may be either.
    func replace(_ key: ObjectKey, with bytes: [UInt8]) throws(ObjectError)

    /// Removes what a crash left of uploads of `owner` directly in `folder`.
    func discardUnfinished(in folder: String, owner: String) throws(ObjectError)
}

/// An object on its way. Without `commit` nothing of it stays, except after a crash: see `discardUnfinished`.
package protocol ObjectUpload: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError)

    /// Makes the object durable and visible. When it throws `alreadyExists` the other object was not touched; after any other error it may
    /// or may not be visible: `stat` tells.
    func commit() throws(ObjectError)
}

package struct ObjectStat: Sendable, Equatable {
    package var byteCount: Int

    package init(byteCount: Int) { self.byteCount = byteCount }
}
