"""Written reports: Markdown, LaTeX, plain text, and the text of PDF and Word files -> :class:`~grader.written.Written`.

    lines        the text of one file -> lines with their places: headings, rows of tables, text
    sentences    where lines join and sentences end
    statements   lines -> sentences that know which question they belong to
    figures      the numbers of a sentence, in any usual notation
    claims       numbers that are said to be something, each with the words that say what
    match        claims -> answers: one reading where it is plain, the candidates where it is not

Nothing here knows what is asked: the words of each question are declared in assignment.toml ([written]). Nothing knows
what is right either: an answer is never chosen by its value. Text is data; every step is linear in its length and
capped.
"""
