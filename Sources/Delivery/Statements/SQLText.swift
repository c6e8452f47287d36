/// Names and texts as they stand in statements.
enum SQLText {
    /// A name in standard SQL.
    static func doubleQuoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    /// A name in Spark and Hive.
    static func backquoted(_ name: String) -> String { "`\(name.replacing("`", with: "``"))`" }

    /// A text in standard SQL.
    static func string(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

    /// A text in Spark and Hive, where a backslash escapes.
    static func sparkString(_ text: String) -> String { "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'" }
}
