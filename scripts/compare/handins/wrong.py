def softmax(row):
    return [x / sum(row) for x in row]
