/// Where a row stands in a body.
package struct RowPlace: Sendable, Equatable {
    /// Among the rows, counted from 0; headings, comments and blank lines are no rows.
    package var index: Int
    /// Its first line, counted from 1.
    package var line: Int

    package init(index: Int, line: Int) {
        self.index = index
        self.line = line
    }
}

/// What a body held.
package struct RowCounts: Sendable, Equatable {
    /// Rejected and excluded ones included.
    package var rows = 0
    /// Rows that lost all their fields to the filter.
    package var excluded = 0

    package init() {}
}
