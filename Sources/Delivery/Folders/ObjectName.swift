import ObjectStorage

/// Names the objects of one task in one folder: `<folder>/<task>_0_<folder, / as _>__<sequence>.parquet`.
///
/// The 0 is the number of the task's worker; a task has one. The file name alone tells where an object belongs.
struct ObjectName {
    private static let worker = 0
    /// More objects in one folder just make the number longer.
    private static let sequenceDigits = 8

    let task: String
    let folder: String

    func key(sequence: UInt64) throws(ObjectError) -> ObjectKey {
        let digits = String(sequence)
        let number = String(repeating: "0", count: max(0, Self.sequenceDigits - digits.count)) + digits
        let flat = folder.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "_")
        let name = "\(task)_\(Self.worker)_\(flat)__\(number).parquet"
        return try ObjectKey(folder.isEmpty ? name : "\(folder)/\(name)")
    }
}
