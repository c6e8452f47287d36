import TelemetryStore

/// Where a task's ledger is.
struct LedgerFile {
    let path: String
    let task: String
    let fileSystem: any FileSystem

    func open() throws(LedgerError) -> Ledger { try Ledger(path: path, task: task, fileSystem: fileSystem) }

    /// False: the task never was.
    func exists() throws(FileError) -> Bool { try fileSystem.exists(path) }
}
