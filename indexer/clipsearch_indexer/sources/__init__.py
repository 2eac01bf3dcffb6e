"""What a user names as a source, turned into pictures to read: folders, Parquet files, globs."""
